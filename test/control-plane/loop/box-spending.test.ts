import { describe, expect, it } from 'vitest'
import { attendBox } from '../../../control-plane/loop/box-run.ts'
import type { LoopDeps, Work } from '../../../control-plane/loop/work.ts'
import type { BoxResult, BoxWatcher } from '../../../src/domain/box.ts'
import type { Gateway, Overseer } from '../../../src/domain/gateway.ts'
import { aBox, anEgress } from '../../support/box.ts'
import { change } from '../../support/change.ts'
import { aCheckpoint } from '../../support/task.ts'
import { openBoxWork } from './box-work.ts'

const usage = { inputTokens: 30, outputTokens: 12, costUsd: 0.5 }

const result: BoxResult = {
  end: 'exited',
  exitCode: 0,
  output: '',
  outputBytes: 0,
  truncated: false,
  startedAt: 1000,
  endedAt: 1500,
  peaks: { memoryMb: null, pids: null, cpuMs: null },
  message: null,
}

/** Attends a box that does no more than `act` with what the gateway tells. */
function attending(
  act: (overseer: Overseer, work: Work, watcher: BoxWatcher) => void,
  closing: () => void = () => undefined,
  came: Partial<BoxResult> = {},
) {
  const opened = openBoxWork()
  const { deps } = opened.work
  const row = { ...aCheckpoint({ state: 'open', fence: 1 }), box: aBox({ egress: anEgress }) }
  deps.store.write(change(opened.task(), {}, { checkpoint: row }))
  let overseer: Overseer | null = null
  const ended: string[] = []
  const gateway: Gateway = {
    open(box, told) {
      overseer = told
      const passage = deps.gateway.open(box, told)
      return {
        accept: (connection) => passage.accept(connection),
        counts: () => passage.counts(),
        async close() {
          await passage.close()
          closing()
        },
      }
    },
  }
  const parts = {
    gateway,
    outputs: {
      start(box: typeof row.box) {
        const file = deps.outputs.start(box)
        return {
          write: (chunk: Buffer) => file.write(chunk),
          end: async () => {
            await file.end()
            ended.push('output')
          },
        }
      },
    },
    engine: {
      async run(
        _spec: unknown,
        _materials: unknown,
        watcher: BoxWatcher,
        signal: AbortSignal,
      ): Promise<BoxResult> {
        if (overseer !== null) act(overseer, opened.work, watcher)
        return { ...result, ...came, ...(signal.aborted ? { end: 'killed' } : {}) }
      },
    },
    worktrees: { materials: () => ({}) },
  }
  const work: Work = { ...opened.work, deps: { ...deps, ...(parts as unknown as LoopDeps) } }
  return { ...opened, ended, attended: attendBox(work, row) }
}

describe('what a model was paid', () => {
  it('is charged to the task at once, and told to those who look on, with all before it', async () => {
    const { attended, task, progress } = attending((overseer) => {
      overseer.spent(usage)
      overseer.spent(usage)
    })
    expect(await attended).toMatchObject({ end: 'exited' })
    expect(task().spent).toMatchObject({ tokens: 84, costUsd: 1 })
    expect(progress).toEqual([
      { kind: 'spent', tokens: 42, costUsd: 0.5 },
      { kind: 'spent', tokens: 84, costUsd: 1 },
    ])
  })

  it('for a task that is no longer ours is refused, so that the gateway passes nothing more', async () => {
    let refused: unknown = null
    const { attended, task } = attending((overseer, work) => {
      work.report({ type: 'halted', reason: 'disk', text: 'It is full.' })
      try {
        overseer.spent(usage)
      } catch (error) {
        refused = error
      }
    })
    await attended
    expect(String(refused)).toContain('halted or taken by another')
    expect(task().spent).toMatchObject({ tokens: 0, costUsd: 0 })
  })
})

it('a box whose provider lets nothing through is ended, and says why', async () => {
  const unavailable = { upstream: 'anthropic', kind: 'overload', text: 'It is overloaded.' } as const
  const { attended, task } = attending((overseer) => overseer.unavailable(unavailable))
  expect(await attended).toMatchObject({ end: 'killed', unavailable })
  expect(task().status).toBe('RUNNING')
})

describe('the time of a box', () => {
  const night = 9 * 3_600_000
  // Its limit is a minute, and the last heartbeat is charged as a whole.
  const most = 61_000

  it('is charged no further than its limit where the machine slept while nobody looked on', async () => {
    const startedAt = Date.now() - night
    const taken = (_: Overseer, __: Work, watcher: BoxWatcher): void => watcher.started(startedAt)
    const { attended, task } = attending(taken, undefined, { end: 'time', startedAt, endedAt: Date.now() })
    await attended
    expect(task().spent.ms).toBe(most)
  })

  it('is charged no further than its limit where it had ended before anybody looked', async () => {
    const { attended, task } = attending(() => undefined, undefined, { endedAt: result.startedAt + night })
    await attended
    expect(task().spent.ms).toBe(most)
  })

  it('is what it ran', async () => {
    const { attended, task } = attending(() => undefined)
    await attended
    expect(task().spent.ms).toBe(500)
  })
})

it('a way out that cannot be closed does not keep the output open', async () => {
  const { attended, ended } = attending(
    () => undefined,
    () => {
      throw new Error('it stays open')
    },
  )
  await expect(attended).rejects.toThrow('it stays open')
  expect(ended).toEqual(['output'])
})
