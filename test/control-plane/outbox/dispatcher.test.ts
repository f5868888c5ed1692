import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { Dispatcher } from '../../../control-plane/outbox/dispatcher.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import { ticks } from '../../../control-plane/ticks.ts'
import type { Patience } from '../../../src/domain/outbox/attempt.ts'
import type { Destination, Outcome } from '../../../src/domain/outbox/destination.ts'
import type { Letter, LetterState } from '../../../src/domain/outbox/letter.ts'
import { webhook } from '../../../src/webhooks/webhook.ts'
import { attesting } from '../../support/attesting.ts'
import { aDestination, upTo, writeTasks } from '../../support/letters.ts'
import { receiver, secretOf, toReceiver } from '../../support/receiver.ts'
import { aTask, aTaskId } from '../../support/task.ts'
import { until } from '../../support/until.ts'
import { type Home, makeHome } from '../store/home.ts'

let home: Home
let store: Store
let bus: Bus
let lines: object[]
const opened: Dispatcher[] = []

beforeEach(() => {
  home = makeHome()
  store = openStore(home.file)
  bus = new Bus()
  lines = []
})
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  home[Symbol.dispose]()
})

const patience: Patience = {
  attempts: 4,
  refusals: 2,
  firstMs: 10,
  factor: 2,
  mostMs: 40,
  askedMostMs: 300,
}
const say = (fields: object): void => void lines.push(fields)

function dispatch(...destinations: readonly Destination[]): Dispatcher {
  const dispatcher = new Dispatcher({
    outbox: store.outbox,
    destinations,
    bus,
    clock: Date.now,
    ticks,
    random: Math.random,
    patience,
    log: { info: say, warn: say },
    limits: { sendMs: 150, leaseMs: 1000, lookMs: 50, brokenMs: 20 },
  })
  opened.push(dispatcher)
  return dispatcher
}
const states = (destination: string): readonly LetterState[] =>
  store.outbox
    .letters({ destination })
    .map(({ state }) => state)
    .toReversed()
const fails = (fault: 'passing' | 'refused' | 'gone', afterMs = 0): Outcome => ({
  kind: 'failed',
  fault,
  text: 'No.',
  afterMs,
})

describe('the outbox', () => {
  it('sends what was written before it was there, and what comes later, in order', async () => {
    const got: string[] = []
    writeTasks(store, ['a'], upTo(5))
    const dispatcher = dispatch(aDestination('a', ({ body }) => (got.push(body), { kind: 'delivered' })))
    dispatcher.wake()
    await until(() => got.length === 5)
    const destinations = [aDestination('a')]
    dispatcher.start()
    const tasks = new Tasks({ store, bus, clock: Date.now, attestor: attesting(store), destinations })
    tasks.birth(aTask({ goal: 'a change' }), 'Submitted.')
    await until(() => got.length === 6)
    expect(got).toEqual(['1', '2', '3', '4', '5', 'a change'])
    await until(() => store.outbox.open().length === 0)
  })

  it.each<[string, (signal: AbortSignal) => Promise<Outcome> | Outcome]>([
    ['hangs, whatever it is told', () => new Promise(() => undefined)],
    ['throws', () => Promise.reject(new Error('oh'))],
    ['fails', () => fails('passing')],
    ['wants to be left alone', () => fails('passing', 100_000)],
  ])('is not held up by a destination that %s', async (_name, deliver) => {
    writeTasks(store, ['bad', 'good'], upTo(10))
    dispatch(
      aDestination('bad', (_letter, signal) => deliver(signal)),
      aDestination('good'),
    ).wake()
    await until(() => states('good').every((state) => state === 'sent'))
    expect(states('bad')).not.toContain('sent')
    await until(() => store.outbox.letters({ destination: 'bad' }).some(({ error }) => error !== null))
  })

  it('tries again with longer pauses, passes nothing meanwhile, gives up at last and goes on', async () => {
    const tries: [string, number][] = []
    writeTasks(store, ['a'], upTo(2))
    const bad = (letter: Letter): Outcome => {
      tries.push([letter.body, Date.now()])
      return letter.body === '1' ? fails('passing') : { kind: 'delivered' }
    }
    dispatch(aDestination('a', bad)).wake()
    await until(() => store.outbox.open().length === 0)
    expect(tries.map(([body]) => body)).toEqual(['1', '1', '1', '1', '2'])
    expect(store.outbox.letters({ states: ['dead'] })).toMatchObject([
      { body: '1', attempts: 4, error: 'No.' },
    ])
    const pauses = tries.slice(1, 4).map(([, at], index) => at - (tries[index]?.[1] ?? 0))
    for (const [index, least] of [5, 10, 20].entries()) expect(pauses[index]).toBeGreaterThanOrEqual(least)
  })

  it('gives up sooner where the letter is refused, and at once where nobody is there any more', async () => {
    const tries: string[] = []
    writeTasks(store, ['a', 'b'], upTo(4))
    dispatch(
      aDestination('a', ({ body }) => (tries.push(body), fails('refused'))),
      aDestination('b', ({ body }) => (tries.push(`b${body}`), fails('gone'))),
    ).wake()
    await until(() => store.outbox.open().length === 0)
    expect(tries.filter((body) => !body.startsWith('b'))).toEqual(['1', '1', '2', '2', '3', '3', '4', '4'])
    expect(tries.filter((body) => body.startsWith('b'))).toEqual(['b1'])
    expect([...states('a'), ...states('b')]).toEqual(Array.from({ length: 8 }, () => 'dead'))
  })

  it('waits as long as it is asked to', async () => {
    const tries: number[] = []
    writeTasks(store, ['a'], upTo(1))
    const asks = (): Outcome => {
      tries.push(Date.now())
      return tries.length === 1 ? fails('passing', 200) : { kind: 'delivered' }
    }
    dispatch(aDestination('a', asks)).wake()
    await until(() => store.outbox.open().length === 0)
    expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(200)
  })

  it('ends with what is due sent, and breaks off what hangs without holding it against it', async () => {
    writeTasks(store, ['slow', 'hangs'], upTo(3))
    const slow = async (): Promise<Outcome> => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return { kind: 'delivered' }
    }
    const dispatcher = new Dispatcher({
      outbox: store.outbox,
      bus,
      clock: Date.now,
      ticks,
      random: Math.random,
      destinations: [aDestination('slow', slow), aDestination('hangs', () => new Promise(() => undefined))],
      log: { info: say, warn: say },
    })
    dispatcher.wake()
    const before = Date.now()
    await dispatcher[Symbol.asyncDispose]()
    expect(Date.now() - before).toBeLessThan(4000)
    expect(states('slow')).toEqual(['sent', 'sent', 'sent'])
    expect(store.outbox.letters({ destination: 'hangs' }).toReversed()).toMatchObject([
      { state: 'waiting', attempts: 0, leaseUntil: null },
      { state: 'waiting', attempts: 0 },
      { state: 'waiting', attempts: 0 },
    ])
  })

  it('goes on when the store can be written again', async () => {
    writeTasks(store, ['a'], upTo(1))
    let broken = 3
    const outbox: Store['outbox'] = {
      ...store.outbox,
      claim: (...args) => {
        if (broken-- > 0) throw new Error('the disk is full')
        return store.outbox.claim(...args)
      },
    }
    const lane = new Dispatcher({
      outbox,
      destinations: [aDestination('a')],
      bus,
      clock: Date.now,
      ticks,
      random: Math.random,
      log: { info: say, warn: say },
      limits: { sendMs: 100, leaseMs: 1000, lookMs: 20, brokenMs: 10 },
    })
    opened.push(lane)
    lane.wake()
    await until(() => store.outbox.open().length === 0)
    expect(states('a')).toEqual(['sent'])
  })

  it('says what waits for nobody that is configured', async () => {
    writeTasks(store, ['webhook:old'], upTo(1))
    dispatch().start()
    await until(() => lines.some((line) => JSON.stringify(line).includes('webhook:old')))
    expect(states('webhook:old')).toEqual(['waiting'])
  })

  it('tells a real receiver what became of a task, and nobody its secret', async () => {
    await using there = await receiver()
    const destinations = [webhook(toReceiver(there.url), { clock: Date.now })]
    const dispatcher = dispatch(...destinations)
    dispatcher.start()
    const tasks = new Tasks({ store, bus, clock: Date.now, attestor: attesting(store), destinations })
    tasks.birth(aTask({ status: 'DRAFT' }), 'Submitted; waits for approval.')
    tasks.act(aTaskId, { type: 'rejected', text: 'No.' }, { kind: 'local', id: 'ada' })
    await until(() => there.received.length === 2)
    expect(there.received.map((request) => there.verified(request))).toMatchObject([
      { type: 'task.draft', data: { task: { id: aTaskId, status: 'DRAFT' } } },
      { type: 'task.rejected', data: { event: { type: 'rejected', actor: { id: 'ada' } } } },
    ])
    await until(() => store.outbox.open().length === 0)
    const bare = secretOf(1).slice(6)
    expect(JSON.stringify([lines, store.outbox.letters({})])).not.toContain(bare)
  })
})
