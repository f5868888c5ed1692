import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endsOf, goneAfter } from '../support/boxes.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { until } from '../support/until.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

/** What the last box of this kind has printed, as `task logs` shows it. */
const lastBox = (logs: string, kind: string): string => logs.split(`== ${kind} box`)[1] ?? ''

describe('a stop', () => {
  it.each([
    [
      'the agent sleeps',
      'agent',
      sh('echo kept > kept.txt; trap "" TERM; echo up; sleep 60; echo TASK_STATE: DONE'),
      undefined,
    ],
    [
      'its test runs',
      'test',
      sh('echo kept > kept.txt'),
      'trap "" TERM; test ! -f kept.txt || { echo up; sleep 60; }',
    ],
  ] as const)(
    'B09 a stop while %s: STOPPED first, then the box is gone, and nothing else later',
    async (_what, kind, argv, test) => {
      const repo = aRepository()
      const task = await plane.submit({ repo, argv, ...(test === undefined ? {} : { test }) })
      await until(async () => lastBox(await plane.client.logs(task.id, 1), kind).includes('up'))
      const stopped = await plane.client.act(task.id, { act: 'stop', text: 'enough' })
      expect(stopped.status).toBe('STOPPED')
      expect(await goneAfter(task.id, 10_000)).not.toBe(Infinity)

      const settled = await plane.settled(task.id)
      expect([settled.status, settled.halt]).toEqual(['STOPPED', { reason: 'stopped', text: 'enough' }])
      const events = await plane.client.events(task.id, 0)
      const at = events.findIndex(({ type }) => type === 'stopped')
      expect(events.slice(at).map(({ type, to }) => [type, to])).toEqual([
        ['stopped', 'STOPPED'],
        ['salvaged', 'STOPPED'],
      ])
      // The engine's own record: the box was killed after the state was written, and has not been made again.
      const ends = endsOf(task.id, settled.createdAt)
      const end = ends.at(-1)
      const took = (end?.at ?? Infinity) - (events[at]?.at ?? Infinity)
      expect(took).toBeGreaterThanOrEqual(0)
      expect(took).toBeLessThanOrEqual(500)
      expect(end?.name).toContain(`-${kind}-`)
      // What the policy allows was kept as a partial checkpoint, and a resume goes on from it.
      const rows = await plane.client.checkpoints(task.id)
      expect(rows.at(-1)?.state).toBe('partial')
      expect(await plane.client.diff(task.id, null)).toContain('kept.txt')
    },
  )
})
