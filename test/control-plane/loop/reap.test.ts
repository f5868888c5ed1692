import pino from 'pino'
import { expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { Loop } from '../../../control-plane/loop/loop.ts'
import type { LoopDeps } from '../../../control-plane/loop/work.ts'

it('an engine that hangs is asked for left boxes once, however long it hangs, and again when it has answered', async () => {
  let minute: () => void = () => undefined
  const waiting: (() => void)[] = []
  let asked = 0
  const engine: Pick<LoopDeps['engine'], 'list' | 'sweep'> = {
    list() {
      asked += 1
      return new Promise((resolve) => waiting.push(() => resolve([])))
    },
    sweep: () => Promise.resolve(),
  }
  const store = { inFlight: () => [], oldestPending: () => null, openBoxes: () => [] }
  const ticks = {
    every(_ms: number, act: () => void) {
      minute = act
      return () => undefined
    },
  }
  // The rest is for tasks, of which there are none.
  const deps = { engine, store, ticks, bus: new Bus(), log: pino({ level: 'silent' }) } as unknown as LoopDeps
  new Loop(deps, { limit: 1, memoryMb: 1024, attend: 'all' }).start()
  for (let minutes = 0; minutes < 100; minutes += 1) minute()
  expect(asked).toBe(1)
  for (const answer of waiting) answer()
  await new Promise(setImmediate)
  expect(asked).toBe(1)
  minute()
  expect(asked).toBe(2)
})
