import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { upTo, writeTasks } from '../../support/letters.ts'
import { program, type Program } from '../../support/program.ts'
import { type Answer, type Receiver, receiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { type Child, startChild } from '../store/child.ts'
import { type Home, makeHome } from '../store/home.ts'

let drainer: Program
beforeAll(() => {
  drainer = program(new URL('programs/drainer.ts', import.meta.url))
})
afterAll(() => drainer[Symbol.dispose]())

let home: Home
let store: Store
let there: Receiver
let answer: Answer
const children: Child[] = []

beforeEach(async () => {
  home = makeHome()
  store = openStore(home.file)
  answer = (response) => response.writeHead(204).end()
  there = await receiver((...args) => answer(...args))
})
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill()
  await there[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  home[Symbol.dispose]()
})

async function start(leaseMs: number): Promise<Child> {
  const child = startChild(process.execPath, [drainer.file, home.file, there.url, String(leaseMs)])
  children.push(child)
  await child.printed(/ready/)
  return child
}
const write = (numbers: readonly number[]): void => writeTasks(store, ['webhook:ci'], numbers)
const left = (): number => store.outbox.letters({ states: ['waiting', 'sending'] }).length
const ids = (): readonly string[] =>
  store.outbox
    .letters({})
    .map(({ id }) => id)
    .toReversed()
/** What arrived, each once, in the order in which it came first. */
const order = (): readonly string[] => [...new Set(there.received.map(({ id }) => id))]

describe('several processes on one outbox', () => {
  it('send each letter once and in order', { timeout: 60_000 }, async () => {
    write(upTo(40))
    await Promise.all([start(10_000), start(10_000)])
    // More comes while they are at it.
    write(upTo(80).slice(40))
    await until(() => left() === 0)
    expect(there.received.map(({ id }) => id)).toEqual(ids())
    // A body of a number is JSON too.
    expect(there.received.map((request) => there.verified(request))).toEqual(upTo(80))
  })

  it(
    'go on where one was killed with a letter on its way, under the same id',
    { timeout: 60_000 },
    async () => {
      write(upTo(6))
      // The third hangs for the one who is to be killed.
      answer = (response, number) => {
        if (number !== 3) response.writeHead(204).end()
      }
      const killed = await start(6000)
      await until(() => there.received.length === 3)
      await killed.kill()
      expect(store.outbox.letters({ states: ['sending'] })).toMatchObject([{ attempts: 1, fence: 1 }])
      await start(6000)
      await sleep(200)
      // Until the lease is over nobody else has it, and nobody passes it.
      expect(there.received).toHaveLength(3)
      await until(() => left() === 0)
      expect(order()).toEqual(ids())
      expect(there.received.filter(({ id }) => id === ids()[2])).toHaveLength(2)
      expect(there.received).toHaveLength(7)
    },
  )

  it('lose nothing and pass nothing, whenever one is killed', { timeout: 120_000 }, async () => {
    write(upTo(30))
    answer = (response) => void setTimeout(() => response.writeHead(204).end(), 5)
    for (const before of [3, 9, 15, 21]) {
      const child = await start(2000)
      await until(() => there.received.length >= before)
      await child.kill()
    }
    await start(2000)
    await until(() => left() === 0)
    expect(order()).toEqual(ids())
    expect(store.outbox.letters({ states: ['sent'] })).toHaveLength(30)
  })

  it('B07 do not overwrite what became of a letter while they slept', { timeout: 60_000 }, async () => {
    write(upTo(3))
    answer = (response, number) => {
      if (number !== 1) response.writeHead(204).end()
    }
    const sleeper = await start(1000)
    await until(() => there.received.length === 1)
    sleeper.process.kill('SIGSTOP')
    await start(1000)
    await until(() => left() === 0)
    const before = store.outbox.letters({})
    sleeper.process.kill('SIGCONT')
    await sleep(500)
    expect(store.outbox.letters({})).toEqual(before)
    expect(before.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent'])
    expect(order()).toEqual(ids())
  })
})
