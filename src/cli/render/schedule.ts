import type { ShownSchedule } from '../../domain/schedule/port.ts'
import type { Occurrence, Timing } from '../../domain/schedule/schedule.ts'
import type { Spell } from './next.ts'
import { columns, firstLine, moment } from './text.ts'

/** Schedules as a table that fits `width` columns. */
export function scheduleTable(schedules: readonly ShownSchedule[], width: number): readonly string[] {
  const head = ['NAME', 'STATE', 'WHEN', 'NEXT', 'LAST', 'GOAL']
  const rows = schedules.map((schedule) => [
    schedule.name,
    stateOf(schedule),
    firstLine(timingText(schedule.timing), 60),
    schedule.nextAt === null ? '-' : moment(schedule.nextAt),
    schedule.last === null ? '-' : lastText(schedule.last),
    firstLine(schedule.task.goal, 400),
  ])
  return columns([head, ...rows]).map((line) => firstLine(line, width))
}

/** All about one, with what became of its last runs, newest first. */
export function scheduleLines(schedule: ShownSchedule, runs: readonly Occurrence[]): readonly string[] {
  const { autoApprove, missed, name, nextAt, origin, overlap, task, timing } = schedule
  const fields: readonly (readonly [string, string])[] = [
    ['schedule', `${name}, ${stateOf(schedule)}`],
    [
      'from',
      origin === 'config' ? 'cofferdam.yaml' : `${schedule.createdBy.id}, ${moment(schedule.createdAt)}`,
    ],
    ['when', timingText(timing)],
    ['next', nextAt === null ? '-' : moment(nextAt)],
    ['missed', missed],
    ['overlap', overlap],
    ...(autoApprove ? [['approval', 'by autoApprove in cofferdam.yaml'] as const] : []),
    ['repository', firstLine(task.repository, 400)],
    ['goal', firstLine(task.goal, 400)],
  ]
  return [
    ...columns(fields),
    ...(runs.length === 0 ? [] : ['', 'Runs, the newest first:']),
    ...columns(
      runs.map(({ plannedAt, state, task: made, text }) => [
        `  ${moment(plannedAt)}`,
        state,
        made ?? '-',
        firstLine(text, 300),
      ]),
    ),
  ]
}

function stateOf({ enabled, gone }: ShownSchedule): string {
  if (gone) return 'gone'
  return enabled ? 'enabled' : 'disabled'
}

function timingText(timing: Timing): string {
  return timing.kind === 'cron' ? `${timing.cron} (${timing.timezone})` : `every ${timing.every}`
}

function lastText({ state, task }: Occurrence): string {
  return task ?? state
}

/** When it runs next, in a sentence; empty where it does not. */
export function nextText({ nextAt }: ShownSchedule, spell: Spell): string {
  return nextAt === null
    ? ''
    : `Its next run is planned for ${moment(nextAt)}; it takes place where \`${spell('serve')}\` runs.`
}
