import { expect, it } from 'vitest'
import { isAtRest, isSettled, phases, statuses } from '../../src/domain/task.ts'

it.each(statuses.flatMap((status) => [null, ...phases].map((phase) => ({ status, phase }))))(
  '%j is settled where nothing more happens by itself, and at rest where nothing waits either',
  (task) => {
    const halted = ['BLOCKED', 'TIMEOUT', 'FAILED', 'STOPPED', 'APPLIED', 'REJECTED'].includes(task.status)
    expect(isSettled(task)).toBe(halted && task.phase !== 'salvage')
    expect(isAtRest(task)).toBe(halted && task.phase === null)
  },
)
