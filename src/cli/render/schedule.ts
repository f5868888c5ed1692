import type { ScheduleDetail, ShownSchedule } from '../../domain/schedule/port.ts'
import type { Occurrence, Timing } from '../../domain/schedule/schedule.ts'
import type { Paint } from '../terminal.ts'
import { policyLines } from './explanation.ts'
import type { Spell } from './next.ts'
import { respelled } from './respelled.ts'
import { baseText, termsRows } from './task.ts'
import { columns, firstLine, hang, moment } from './text.ts'

/** Schedules as a table that fits `width` columns. */
export function scheduleTable(schedules: readonly ShownSchedule[], width: number): readonly string[] {
  const head = ['NAME', 'STATE', 'WHEN', 'NEXT', 'LAST', 'GOAL']
  const rows = schedules.map((schedule) => [
    schedule.name,
    stateOf(schedule),
    firstLine(timingText(schedule.timing), 60),
    plannedText(schedule.nextAt, schedule.timing),
    schedule.last === null ? '-' : lastText(schedule.last),
    firstLine(schedule.task.goal, 400),
  ])
  return columns([head, ...rows]).map((line) => firstLine(line, width))
}

/** All about one, with what became of its last runs, newest first. */
export function scheduleLines(
  schedule: ScheduleDetail,
  runs: readonly Occurrence[],
  spell: Spell,
  paint: Paint,
): readonly string[] {
  const { autoApprove, missed, name, nextAt, origin, overlap, task, terms, timing } = schedule
  const fields: readonly (readonly string[])[] = [
    ['schedule', `${name}, ${stateOf(schedule)}`],
    [
      'from',
      origin === 'config' ? 'cofferdam.yaml' : `${schedule.createdBy.id}, ${moment(schedule.createdAt)}`,
    ],
    ['when', timingText(timing)],
    ['next', plannedText(nextAt, timing)],
    ['missed', missed],
    ['overlap', overlap],
    ...(autoApprove ? [['approval', 'by autoApprove in cofferdam.yaml']] : []),
    ['repository', firstLine(task.repository, 400)],
    ['goal', firstLine(task.goal, 400)],
    ...(terms === null ? [] : [['base', baseText(terms)], ...termsRows(terms, null)]),
  ]
  return [
    ...columns(fields),
    ...hindranceLines(schedule, spell),
    '',
    ...(terms === null ? [] : policyLines(terms.policy, paint)),
    ...(runs.length === 0 ? [] : ['Runs, the newest first:']),
    ...columns(
      runs.map(({ plannedAt, state, task: made, text }) => [
        `  ${plannedText(plannedAt, timing)}`,
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

/** When a run is planned; with the zone of that time where the schedule counts in another. */
function plannedText(at: number | null, timing: Timing): string {
  if (at === null) return '-'
  const here = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
  if (timing.kind !== 'cron' || timing.timezone === here.resolvedOptions().timeZone) return moment(at)
  const zone = here.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value
  return `${moment(at)} ${zone}`
}

function lastText({ state, task }: Occurrence): string {
  return task ?? state
}

/** What a change came to. @param done what was done with it, such as `made` */
export function changedLines(schedule: ScheduleDetail, done: string, spell: Spell): readonly string[] {
  const said = `Schedule ${schedule.name} is ${done}. ${nextText(schedule, spell)}`.trimEnd()
  return [said, ...(schedule.enabled ? hindranceLines(schedule, spell) : [])]
}

/** Who makes a schedule for the night has to know that nothing runs in it. */
function hindranceLines({ hindrance }: ScheduleDetail, spell: Spell): readonly string[] {
  return hindrance === null ? [] : [hang(respelled(hindrance, spell), 0)]
}

/** When it runs next, in a sentence; empty where it does not. */
function nextText({ nextAt, timing }: ShownSchedule, spell: Spell): string {
  return nextAt === null
    ? ''
    : `Its next run is planned for ${plannedText(nextAt, timing)}; it takes place where \`${spell('serve')}\` runs.`
}
