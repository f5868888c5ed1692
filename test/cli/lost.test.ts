import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { hostPath } from '../../src/config/places.ts'
import type { Input } from '../../src/domain/input.ts'
import { taskIdSchema } from '../../src/domain/schemas.ts'
import { attesting } from '../support/attesting.ts'
import { applies } from '../support/scripted-plane.ts'
import { aPerson } from '../support/task.ts'
import { type Command, type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

/** A draft, made by a process that has ended. */
async function aDraft(): Promise<string> {
  const { out } = await machine.run(['run', '--repo', '.', '--goal', 'sudo make it so', '--', 'true'])
  return /Task ([a-z2-7]{10})/.exec(out)?.[1] ?? 'no id'
}

/** Runs a command whose call reaches a process that dies without an answer. */
async function lost(
  call: 'act' | 'logs' | 'doctor' | RegExp,
  when: 'before' | 'after',
  args: string[],
): Promise<Command> {
  const { owner, arrived } = await machine.hanging({ call, when })
  const command = machine.start(args)
  await arrived
  await owner.kill()
  await command.code
  owner.signal('SIGTERM')
  await owner.code
  return command
}

/** As somebody else does it, while the first call is under way. */
function meanwhile(id: string, input: Input): void {
  using store = openStore(hostPath(join(machine.data, 'cofferdam.db')))
  const tasks = new Tasks({ store, bus: new Bus(), clock: Date.now, attestor: attesting(store) })
  tasks.act(taskIdSchema.parse(id), input, aPerson)
}

async function eventsOf(id: string): Promise<readonly { type: string; seq: number }[]> {
  const { out } = await machine.run(['task', 'show', id, '--json'])
  return (JSON.parse(out) as { events: { type: string; seq: number }[] }).events
}

const typesOf = async (id: string): Promise<readonly string[]> => (await eventsOf(id)).map(({ type }) => type)

describe.each(['before', 'after'] as const)('an act whose process ends %s it is done', (when) => {
  it.each([
    ['approve', ['--detach'], 'is PENDING.', 'approved'],
    ['reject', ['--reason', 'no'], 'is REJECTED. no', 'rejected'],
    ['suggest', ['and use ls'], 'is DRAFT.', 'suggested'],
    ['stop', [], 'is STOPPED.', 'stopped'],
  ])('%s: it is done once', async (act, more, says, type) => {
    const id = await aDraft()
    const command = await lost('act', when, ['task', act, id, ...more])
    expect([await command.code, command.error()]).toEqual([0, ''])
    expect(command.out()).toContain(`Task ${id} ${says}`)
    expect((await typesOf(id)).slice(1)).toEqual([type])
  })

  it('an approval is followed to the end of its task', async () => {
    const id = await aDraft()
    const command = await lost('act', when, ['task', 'approve', id])
    expect([await command.code, command.out().includes('APPLIED')]).toEqual([0, true])
  })
})

describe.each(['before', 'after'] as const)('an errand whose process ends %s it is done', (when) => {
  it('schedule remove: the schedule is removed, and that is said', async () => {
    const task = ['--repo', '.', '--goal', 'Mend it', '--', 'true']
    await machine.run(['schedule', 'add', 'nightly', '--every', '6h', ...task])
    const command = await lost(/^DELETE /, when, ['schedule', 'remove', 'nightly'])
    expect([await command.code, command.out()]).toEqual([0, 'Schedule nightly is removed.\n'])
  })

  it('outbox discard: every letter is discarded, also where the first was already', async () => {
    await aDraft()
    await aDraft()
    const { out } = await machine.run(['outbox', 'list', '--json'])
    const ids = (JSON.parse(out) as { letters: { id: string }[] }).letters.map(({ id }) => id)
    expect(ids).toHaveLength(2)
    const command = await lost(/^POST .*\/discard$/, when, ['outbox', 'discard', ...ids])
    expect([await command.code, command.out()]).toEqual([
      0,
      ids.map((id) => `Letter ${id} is discarded.\n`).join(''),
    ])
    // Said by who did not try before, it is refused as ever.
    expect((await machine.run(['outbox', 'discard', ids[0] ?? ''])).code).toBe(2)
  })

  it('token revoke: a token is revoked by its name', async () => {
    await machine.run(['token', 'create', 'laptop'])
    const command = await lost(/^DELETE /, when, ['token', 'revoke', 'laptop'])
    expect([await command.code, command.out()]).toEqual([0, 'The token laptop is revoked.\n'])
    const again = await machine.run(['token', 'revoke', 'laptop'])
    expect([again.code, again.error]).toEqual([2, expect.stringContaining('There is no token laptop')])
  })
})

it('a decision is not made again on what has changed meanwhile', async () => {
  const id = await aDraft()
  const { owner, arrived } = await machine.hanging({ call: 'act', when: 'before' })
  const command = machine.start(['task', 'approve', id, '--detach'])
  await arrived
  meanwhile(id, { type: 'suggested', text: 'mind the gap', risks: [] })
  await owner.kill()
  expect([await command.code, command.error()]).toEqual([
    2,
    `cofferdam: Task ${id} changed since it was shown (revision 1, now 2): look at it and decide again.\n`,
  ])
  owner.signal('SIGTERM')
  await owner.code
})

it('a review is found again by its own number, whatever was said meanwhile', async () => {
  const { out } = await machine.run(['run', '--repo', '.', '--goal', 'Mend it', '--', 'true'])
  const id = /Task ([a-z2-7]{10})/.exec(out)?.[1] ?? 'no id'
  const { owner, arrived } = await machine.hanging({ call: /^POST .*\/reviews$/, when: 'after' })
  const command = machine.start(['task', 'review', id, '--text', 'mine'])
  await arrived
  meanwhile(id, { type: 'reviewed', text: 'theirs' })
  await owner.kill()
  expect([await command.code, command.error()]).toEqual([0, ''])
  const reviews = (await eventsOf(id)).filter(({ type }) => type === 'reviewed')
  expect(reviews).toHaveLength(2)
  expect(command.out()).toContain(`--withdraw ${reviews[0]?.seq}\n`)
  owner.signal('SIGTERM')
  await owner.code
})

it('what is only read is read where it is answered', async () => {
  const id = await aDraft()
  const command = await lost('logs', 'before', ['task', 'logs', id])
  expect([await command.code, command.out()]).toEqual([0, `== agent box, step 1, ${id} ==\ngreen\n`])
})
