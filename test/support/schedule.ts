import { taskRequestSchema } from '../../src/domain/intake.ts'
import type { Schedule } from '../../src/domain/schedule/schedule.ts'
import { aPerson, aTime } from './task.ts'

/** A schedule of every quarter of an hour, UTC, made at `aTime`, which is on one. */
export function aSchedule(overrides: Partial<Schedule> = {}): Schedule {
  return {
    name: 'nightly',
    origin: 'api',
    enabled: true,
    gone: false,
    revision: 1,
    decidedTo: aTime,
    timing: { kind: 'cron', cron: '*/15 * * * *', timezone: 'UTC' },
    missed: 'once',
    overlap: 'skip',
    autoApprove: false,
    task: taskRequestSchema.parse({ goal: 'Mend the parser', repository: '/repositories/example' }),
    createdBy: aPerson,
    createdAt: aTime,
    updatedAt: aTime,
    ...overrides,
  }
}
