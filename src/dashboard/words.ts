import { needsPerson, type Standing, standingOf, workOf } from '../domain/standing.ts'
import type { Actor, RiskReason, Status, Task } from '../domain/task.ts'
import { laidOpen } from '../domain/laid-open.ts'

// What people read, made of what the API says.

/** The five lists of the board: of those that need nobody, by their states. */
export const groups = [
  { name: 'needs-you', title: 'Needs you', statuses: [] },
  { name: 'running', title: 'Running', statuses: ['RUNNING', 'VALIDATING'] },
  { name: 'queued', title: 'Queued', statuses: ['PENDING'] },
  { name: 'done', title: 'Done', statuses: ['APPLIED'] },
  {
    name: 'halted',
    title: 'Halted',
    statuses: ['DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT', 'STOPPED', 'REJECTED'],
  },
] as const satisfies readonly { name: string; title: string; statuses: readonly Status[] }[]
export type Group = (typeof groups)[number]
export type GroupName = Group['name']

export function groupOf(task: Standing): Group {
  const { status } = task
  if (needsPerson(task)) return groups[0]
  const found = groups.find(({ statuses }) => (statuses as readonly Status[]).includes(status))
  if (found === undefined) throw new Error(`no list of the board holds ${status}`)
  return found
}

/** How a task stands, and with applied work of which nobody has decided yet also that: it is not finished. */
export function stateOf(task: Standing): string {
  const { kind, status, delivery } = task
  const isOpen = kind === 'change' && status === 'APPLIED' && delivery === 'none' && workOf(task) === null
  return isOpen ? `${standingOf(task)}, not delivered yet` : standingOf(task)
}

/** Why a task came to rest; null where its work is thrown away, so that nothing of what that tells one to do is possible. */
export const haltSaid = ({ halt, delivery }: Pick<Task, 'halt' | 'delivery'>): string | null =>
  delivery === 'discarded' ? null : (halt?.text ?? null)

/** The first line of a text, at most `most` characters, with a sign for what would hide or turn something. */
export function firstLine(text: string, most = 160): string {
  const line = laidOpen(text).trimStart().split(/\r?\n/, 1)[0] ?? ''
  return line.length > most ? `${line.slice(0, most)}…` : line
}

/** Why a draft waits, in one line: the first of its reasons, and how many more there are. */
export function reasonOf(risks: readonly RiskReason[]): string | undefined {
  const [first, ...others] = risks
  if (first === undefined) return undefined
  const text = firstLine(first.text, 220)
  if (others.length === 0) return text
  return `${text.replace(/\.$/, '')}, and ${others.length === 1 ? '1 more reason' : `${others.length} more reasons`}.`
}

/** A step in words: what is numbered 0 is setup, and the test on what there was. */
export const stepName = (step: number): string => (step === 0 ? 'before the first step' : `step ${step}`)

export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

export const nameOf = ({ kind, id }: Actor): string => (kind === 'system' ? 'Cofferdam' : id)

/** The last folder of a path. */
export const folderName = (path: string): string => path.split('/').findLast((part) => part !== '') ?? path

/** A span of time in its two greatest units, such as `2 h 5 min`. */
export function spanOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return pair(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  return hours < 48
    ? pair(hours, 'h', minutes % 60, 'min')
    : pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const pair = (most: number, unit: string, rest: number, smaller: string): string =>
  rest === 0 ? `${most} ${unit}` : `${most} ${unit} ${rest} ${smaller}`

/** How long ago, or in how long, in one unit. */
export function agoOf(at: number, now: number): string {
  const ms = Math.abs(now - at)
  if (ms < 45_000) return now >= at ? 'just now' : 'in a moment'
  const [amount, unit] =
    ms < 3_600_000
      ? [Math.round(ms / 60_000), 'min']
      : ms < 48 * 3_600_000
        ? [Math.round(ms / 3_600_000), 'h']
        : [Math.round(ms / 86_400_000), 'd']
  return now >= at ? `${amount} ${unit} ago` : `in ${amount} ${unit}`
}

/** The time of day, and the day where it is not today's. */
export function clockOf(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  return date.toDateString() === today.toDateString() ? date.toLocaleTimeString() : date.toLocaleString()
}

export const moneyOf = (usd: number): string => `$${usd.toFixed(usd !== 0 && usd < 0.1 ? 4 : 2)}`

export const numberOf = (count: number): string => count.toLocaleString('en')

/** Bytes in the unit that suits them. */
export function bytesOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`
}

/** What has become of a task that somebody has just had begun; the name of the task follows. */
export function begunText(status: Status): string {
  return status === 'DRAFT' ? 'It waits as a draft for a person:' : 'It runs as'
}

const controls = new RegExp(
  `${String.fromCodePoint(27)}(?:\\[[0-9;?]*[A-Za-z]|\\][^${String.fromCodePoint(7, 27)}]*(?:${String.fromCodePoint(7)}|${String.fromCodePoint(27)}\\\\)?)?|[^\\P{Cc}\\n\\t]`,
  'gu',
)
const directions = /[\p{Bidi_Control}\u2028\u2029]/gu

/** The output of a program as text: without commands to a terminal, and with marks that turn the direction made visible. */
export function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(controls, '').replaceAll(directions, '\u{fffd}')
}

/** What JSON leaves as it is. */
const unquoted = /[\u007f-\u009f\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/** The name of a file as an agent chose it: one in which something would be hidden or turned is quoted, with that escaped. */
export function nameText(name: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const quoted = JSON.stringify(name).replaceAll(unquoted, (mark) => mark.split('').map(escaped).join(''))
  return quoted === `"${name}"` ? name : quoted
}

/**
 * A log as it was read, and what came while that was on its way: some of it may be in the log already, as its end.
 */
export function joined(log: string, live: string): string {
  for (let length = Math.min(log.length, live.length); length > 0; length--) {
    if (log.endsWith(live.slice(0, length))) return log + live.slice(length)
  }
  return log + live
}
