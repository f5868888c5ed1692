import { z } from 'zod'
import type { Millis } from '../brand.ts'
import { taskRequestSchema } from '../intake.ts'
import { missedPolicies, overlapPolicies, type Plan, schedulePattern, type Timing } from './schedule.ts'

// What the configuration, HTTP and the command line say about a schedule. The words are the same everywhere.

/** Whether a pattern fits a day, and a zone is one, is looked at when all of it is known: see `timingProblem`. */
const field = String.raw`[\dA-Za-z*,/#-]{1,100}`
const cronPattern = new RegExp(
  `^(@(hourly|daily|weekly|monthly|yearly|annually|midnight)|${field}( +${field}){4})$`,
)

export const scheduleName = z
  .string('A schedule has a name, such as "nightly".')
  .regex(
    schedulePattern,
    'The name of a schedule is made of a-z, 0-9 and "-", begins with a letter and has at most 63 of them.',
  )

/** The fields that say when; exactly one of `cron` and `every` is given. */
const when = {
  cron: z
    .string('"cron" is text: put the pattern in quotes.')
    .regex(
      cronPattern,
      '"cron" takes minute, hour, day, month and weekday, such as "30 2 * * 1-5", or a name such as @daily.',
    )
    .optional(),
  every: z
    .string('"every" is text, such as 6h.')
    .regex(/^[1-9]\d{0,5}[mhd]$/, '"every" takes an interval from 1m to 366d, such as 30m, 6h or 2d.')
    .optional(),
  timezone: z
    .string('"timezone" is text, such as Europe/Berlin.')
    .regex(/^[A-Za-z][\w+/-]{0,63}$/, '"timezone" takes an IANA name such as Europe/Berlin, or UTC.')
    .optional(),
}

const rest = {
  missed: z
    .enum(missedPolicies, '"missed" is skip, once or all.')
    .default('once')
    .meta({ description: 'What becomes of planned runs that nobody was there for.' }),
  overlap: z
    .enum(overlapPolicies, '"overlap" is skip, queue or allow.')
    .default('skip')
    .meta({ description: 'What becomes of a planned run while a task of the schedule is not at rest.' }),
}
const enabled = z.boolean('"enabled" is true or false.').default(true)

/** Rules over several fields. */
function coherent(
  { cron, every, timezone, missed, overlap }: ScheduleWords,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const say = (path: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [path], message })
  }
  if (cron === undefined && every === undefined)
    say('cron', 'Say when: give "cron", such as "30 2 * * *", or "every", such as 6h.')
  if (cron !== undefined && every !== undefined)
    say('every', 'It has both "cron" and "every": give one of them.')
  if (every !== undefined && timezone !== undefined)
    say('timezone', 'An interval has no time zone: leave "timezone" out, or give "cron".')
  if (missed === 'all' && overlap === 'skip')
    say(
      'missed',
      'With "overlap: skip" all made-up runs but the first would be skipped: give queue or allow.',
    )
}

interface ScheduleWords {
  readonly cron?: string | undefined
  readonly every?: string | undefined
  readonly timezone?: string | undefined
  readonly missed: Plan['missed']
  readonly overlap: Plan['overlap']
}

const onlyInFile = (issue: { readonly code?: string; readonly keys?: unknown }): string | undefined =>
  issue.code === 'unrecognized_keys' && Array.isArray(issue.keys) && issue.keys.includes('autoApprove')
    ? '"autoApprove" is taken from cofferdam.yaml alone: put the schedule there, or leave it out.'
    : undefined

/** A schedule as HTTP changes it: all of it anew, under the name that it has. */
export const scheduleChangeSchema = z
  .strictObject({ ...when, ...rest, enabled, task: taskRequestSchema }, { error: onlyInFile })
  .superRefine(coherent)
/** A schedule as HTTP makes it. */
export const scheduleRequestSchema = z
  .strictObject(
    { name: scheduleName, ...when, ...rest, enabled, task: taskRequestSchema },
    { error: onlyInFile },
  )
  .superRefine(coherent)
/**
 * A schedule as the configuration has it, under its name. Whether it is enabled is not said there, so that it is only said
 * in one place. The path of its repository may begin with `~`.
 */
export const configuredScheduleSchema = z
  .strictObject({
    ...when,
    ...rest,
    autoApprove: z.boolean('"autoApprove" is true or false.').default(false),
    task: z.record(z.string(), z.unknown(), '"task" has at least a goal and a repository.'),
  })
  .superRefine(coherent)

export type ScheduleChange = z.output<typeof scheduleChangeSchema>
export type ScheduleRequest = z.output<typeof scheduleRequestSchema>

/** What a request says of its times. @param from where an interval is counted from */
export function timingOf(words: ScheduleWords, from: Millis, zone: string): Timing {
  const { cron, every, timezone } = words
  return cron === undefined
    ? { kind: 'every', every: every ?? '', from }
    : { kind: 'cron', cron: cron.replaceAll(/ +/g, ' '), timezone: timezone ?? zone }
}

/** A schedule of the configuration; where its interval is counted from is 0 here. */
export interface ConfiguredSchedule extends Plan {
  readonly name: string
}
