import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import type { Sight } from '../../src/domain/control-plane.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { watch } from '../../control-plane/watch.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { attesting } from '../support/attesting.ts'
import { aPerson, aTask, aTaskId } from '../support/task.ts'

let folder: string
let store: Store
let bus: Bus
let tasks: Tasks
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-watch-'))
  store = openStore(join(folder, 'cofferdam.db') as HostPath)
  bus = new Bus()
  tasks = new Tasks({ store, bus, clock: () => 1, attestor: attesting(store) })
  tasks.birth(aTask({ status: 'RUNNING', phase: 'agent', step: 1, fence: 1 }), 'Submitted.')
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const steer = (text: string): void => {
  tasks.act(aTaskId, { type: 'steered', text }, aPerson)
}
const say = (text: string): void => bus.output(aTaskId, { step: 1, box: 'agent', text })
const shown = (sight: Sight): string =>
  sight.kind === 'event' ? `${sight.event.seq} ${sight.event.text}` : sight.text

/** Reads `count` sights after `meanwhile` has happened. */
async function read(count: number, after: number, meanwhile: () => void): Promise<readonly string[]> {
  const over = new AbortController()
  const seen: string[] = []
  for await (const sight of watch(store, bus, aTaskId, after, over.signal)) {
    seen.push(shown(sight))
    if (seen.length === 1) meanwhile()
    if (seen.length >= count) over.abort()
  }
  return seen
}

describe('watching a task', () => {
  it('replays from where one was, then goes on live, events and output in the order in which they happened', async () => {
    steer('one')
    const seen = await read(6, 0, () => {
      say('a')
      steer('two')
      say('b')
      steer('three')
    })
    expect(seen).toEqual(['1 Submitted.', '2 Steered: one', 'a', '3 Steered: two', 'b', '4 Steered: three'])
  })

  it('leaves out what was seen before', async () => {
    steer('one')
    expect(await read(2, 1, () => steer('two'))).toEqual(['2 Steered: one', '3 Steered: two'])
  })

  it('drops and marks output that a slow reader leaves lying, and no event', async () => {
    const seen = await read(4, 0, () => {
      for (let piece = 0; piece < 1000; piece += 1) say(`${piece};`)
      steer('after the flood')
      say('last')
    })
    expect(seen.filter((text) => text.includes('dropped')).length).toBeGreaterThan(0)
    expect(seen.join('').length).toBeLessThan(5000)
    const rest = await read(2, 0, () => undefined)
    expect(rest).toEqual(['1 Submitted.', '2 Steered: after the flood'])
  })

  it('ends at once when it is aborted while it waits', async () => {
    const over = new AbortController()
    const sights = watch(store, bus, aTaskId, 1, over.signal)
    const next = sights.next()
    over.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})
