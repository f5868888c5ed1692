import { expect, it } from 'vitest'
import { isAtRest, isSettled, type Phase, phases, statuses } from '../../src/domain/task.ts'

/** What goes on by itself at a task that has halted. */
const underWay: ReadonlySet<Phase | null> = new Set<Phase>([
  'salvage',
  'merge',
  'merge_setup',
  'merge_test',
  'merge_move',
  'undo',
  'push',
  'pull_open',
])

it.each(statuses.flatMap((status) => [null, ...phases].map((phase) => ({ status, phase }))))(
  '%j is settled where nothing more happens by itself, and at rest where nothing waits either',
  (task) => {
    const halted = ['BLOCKED', 'TIMEOUT', 'FAILED', 'STOPPED', 'APPLIED', 'REJECTED'].includes(task.status)
    expect(isSettled(task)).toBe(halted && !underWay.has(task.phase))
    expect(isAtRest(task)).toBe(halted && task.phase === null)
  },
)
