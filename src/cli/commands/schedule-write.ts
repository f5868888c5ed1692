import type { Command } from 'commander'
import { Failure } from '../../domain/failure.ts'
import { type ScheduleRequest, scheduleRequestSchema } from '../../domain/schedule/request.ts'
import { withControlPlane } from '../connection.ts'
import { changedLines } from '../render/schedule.ts'
import { requestOf, type TaskOptions } from '../request.ts'
import { type CommonOptions, print, printJson, type Shell, speller, targetOf } from './common.ts'
import { goalRead, programOf, taskOptions } from './task-options.ts'

interface AddOptions extends CommonOptions, TaskOptions {
  readonly cron?: string
  readonly every?: string
  readonly timezone?: string
  readonly missed?: string
  readonly overlap?: string
  readonly disabled?: true
}

/** `add` and `update`. */
export function writeCommand(
  schedule: Command,
  shell: Shell,
  what: 'add' | 'update',
  description: string,
): void {
  taskOptions(schedule.command(`${what} <name>`).description(description))
    .option('--cron <pattern>', 'minute, hour, day, month and weekday, such as "30 2 * * 1-5"; or @daily, …')
    .option('--every <interval>', 'in place of --cron: 30m, 6h, 2d')
    .option('--timezone <name>', 'of --cron, such as Europe/Berlin (default: that of this machine)')
    .option('--missed <policy>', 'runs that nobody was there for: skip, once or all (default: once)')
    .option('--overlap <policy>', 'while a task of it is not at rest: skip, queue or allow (default: skip)')
    .option('--disabled', 'do not run it; one that is disabled stays so')
    .action(async (name: string, argv: readonly string[], options: AddOptions) => {
      const { world } = shell
      const task = requestOf(await goalRead(options, shell), programOf(argv, shell), world.around.cwd)
      const request = scheduleOf(name, options, task)
      const { name: _, ...change } = request
      const now = await withControlPlane(
        targetOf(shell, options, `schedule ${what}`),
        async ({ schedules }) => {
          if (what === 'add') return await schedules.create(request)
          // Whether it runs is another matter than what it runs, unless it is said.
          const { enabled, revision } = await schedules.show(name)
          return await schedules.update(name, { ...change, enabled: enabled && change.enabled }, revision)
        },
      )
      if (options.json === true) printJson(world, now)
      else print(world, changedLines(now, what === 'add' ? 'made' : 'changed', speller(options)))
      shell.end('done')
    })
}

/** All that is wrong with the words is said at once, before anybody is asked. */
function scheduleOf(name: string, options: AddOptions, task: ScheduleRequest['task']): ScheduleRequest {
  const { cron, disabled, every, missed, overlap, timezone } = options
  const zone =
    timezone ?? (every === undefined ? new Intl.DateTimeFormat().resolvedOptions().timeZone : undefined)
  const parsed = scheduleRequestSchema.safeParse({
    name,
    cron,
    every,
    timezone: zone,
    missed,
    overlap,
    enabled: disabled !== true,
    task,
  })
  if (parsed.success) return parsed.data
  throw new Failure('bad_request', parsed.error.issues.map(({ message }) => message).join(' '))
}
