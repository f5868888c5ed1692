import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { letterSchema } from '../../src/domain/answers.ts'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(async () => {
  machine = scriptedMachine(applies)
  await machine.run(['run', '--repo', '.', '--goal', 'Mend it', '--', 'true'], { script: applies })
})
afterEach(() => machine.remove())

const letters = async (...args: readonly string[]) => {
  const { out } = await machine.run(['outbox', 'list', '--json', ...args])
  return z.object({ letters: z.array(letterSchema) }).parse(JSON.parse(out)).letters
}

describe('cofferdam outbox', () => {
  it('lists letters, newest first, also for machines', async () => {
    const all = await letters()
    expect(all.map(({ type }) => type)).toEqual([
      'task.applied',
      ...all.slice(1, -1).map(({ type }) => type),
      'task.pending',
    ])
    const { code, out } = await machine.run(['outbox', 'list', '--limit', '1'])
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^ID +STATE +TRIES +AGE +TO +TASK +WHAT/),
      expect.stringMatching(
        /^msg_[a-z2-7]{20} +waiting +0 +\d+s +webhook:scripted +[a-z2-7]{10} +task\.applied/,
      ),
      '',
    ])
    expect(await letters('--state', 'dead')).toEqual([])
    expect(await letters('--destination', 'webhook:other')).toEqual([])
    expect(await letters('--task', all[0]?.taskId ?? '', '--state', 'waiting,sent')).toEqual(all)
  })

  it('says that there are more, and with which command they are shown', async () => {
    const all = await letters()
    const { error } = await machine.run(['outbox', 'list', '--limit', '1'])
    const [, command = ''] = /^There are more: `cofferdam (.+)` goes on\.\n$/.exec(error) ?? []
    const { out } = await machine.run(command.split(' '))
    expect([out.includes(all[0]?.id ?? '-'), out.includes(all[1]?.id ?? '-')]).toEqual([false, true])
  })

  it('shows one, with what is sent', async () => {
    const [letter] = await letters()
    const { out } = await machine.run(['outbox', 'show', letter?.id ?? ''])
    for (const text of ['webhook:scripted', 'waiting after 0 attempts', letter?.body ?? '-'])
      expect(out).toContain(text)
    const { out: json } = await machine.run(['outbox', 'show', letter?.id ?? '', '--json'])
    expect(letterSchema.parse(JSON.parse(json))).toEqual(letter)
  })

  it('discards and retries, several at once', async () => {
    const [first, second] = (await letters()).map(({ id }) => id)
    const { code, out } = await machine.run(['outbox', 'discard', first ?? '', second ?? ''])
    expect([code, out]).toEqual([0, `Letter ${first} is discarded.\nLetter ${second} is discarded.\n`])
    expect((await letters('--state', 'discarded')).map(({ id }) => id)).toEqual([first, second])
    const again = await machine.run(['outbox', 'retry', first ?? ''])
    expect(again.out).toBe(`Letter ${first} is tried again.\n`)
    expect((await letters('--state', 'discarded')).map(({ id }) => id)).toEqual([second])
  })

  it.each([
    [['list', '--state', 'lost'], /--state takes some of waiting, sending, sent, dead, discarded/],
    [['show', 'x'], /x is no letter: `cofferdam outbox list` shows their ids/],
    [['retry', 'msg_aaaaaaaaaaaaaaaaaaaa'], /There is no letter msg_a{20}: `cofferdam outbox list`/],
  ])('refuses %j in a sentence', async (args, text) => {
    const { code, error } = await machine.run(['outbox', ...args])
    expect(code).not.toBe(0)
    expect(error).toMatch(text)
  })
})
