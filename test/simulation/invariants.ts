import { type Status, workingStatuses } from '../../src/domain/task.ts'
import { table } from '../../src/domain/transition/table.ts'
import { told } from './mail.ts'
import type { Invariant, Moment } from './moment.ts'
import { mostTokens } from './programs.ts'
import type { AttemptRow, EventRow, RunRow, View } from './view.ts'

/** What is written beside the table: a birth, and an offer that takes the place of an expired one. */
const beside = new Set(['submitted', 'offered'])

/** Every write is one event, and what it does to status and phase stands in the table. */
const transitions: Invariant = ({ before, now, event }) => {
  const { task, events } = now
  if (events.some(({ seq }, index) => seq !== index + 1)) return 'the numbers of its events have gaps'
  if (events.length !== task.version) return `version ${task.version} has ${events.length} events`
  const from = before?.task ?? null
  if (event === null)
    return from?.status === task.status && from.phase === task.phase ? null : 'it moved without an event'
  if (event.from_status !== (from?.status ?? null)) return `${event.type} does not start from ${from?.status}`
  if (from === null)
    return event.type === 'submitted' && ['DRAFT', 'PENDING'].includes(task.status) ? null : 'a strange birth'
  if (beside.has(event.type))
    return from.status === task.status && from.phase === task.phase ? null : `${event.type} moved it`
  const fits = table.some(
    (row) =>
      row.on === event.type &&
      row.from.includes(from.status as Status) &&
      (row.to === 'same' ? from.status : row.to) === task.status &&
      phaseFits(row.phase, from.phase, task.phase),
  )
  const [was, is] = [from, task].map(({ status, phase }) => `${status} (${phase})`)
  return fits ? null : `no row of the table goes from ${was} on ${event.type} to ${is}`
}

function phaseFits(wanted: string | null, before: string | null, now: string | null): boolean {
  if (wanted === 'same') return now === before
  if (wanted === 'salvage?') return now === 'salvage' || now === null
  return wanted === 'input' ? now !== null : now === wanted
}

/** What is final stays so. */
const final: Invariant = ({ before, now }) => {
  const was = before?.task.status
  if (was !== 'APPLIED' && was !== 'REJECTED') return null
  return now.task.status === was ? null : `a task that was ${was} is ${now.task.status}`
}

/** A fence rises by one with each claim, and never otherwise. */
const fences: Invariant = ({ before, now, event }) => {
  const was = before?.task.fence ?? 0
  const wanted = event?.type === 'claimed' ? was + 1 : was
  if (now.task.fence !== wanted) return `the fence goes from ${was} to ${now.task.fence}`
  return event === null || event.fence === now.task.fence ? null : `an event has fence ${event.fence}`
}

/** What a new process writes to a task that another one has left under way. */
const takenOver = new Set(['requeued', 'halted', 'claimed'])

/** Only who claimed a task last works on it. */
const stale: Invariant = ({ writer, before, event, claimedBy }) => {
  if (before === null || !isWorking(before)) return null
  if (event !== null && (takenOver.has(event.type) || !event.actor.includes('"system"'))) return null
  const owner = claimedBy(before.task.fence)
  const what = event?.type ?? 'a heartbeat'
  return owner === writer ? null : `process ${writer} wrote ${what}, and process ${owner} has claimed it`
}

const decisive: Readonly<Record<string, string>> = {
  approved: 'approve',
  rejected: 'reject',
  suggested: 'suggest',
  discarded: 'discard',
  merge_decided: 'merge',
  pull_decided: 'pull-request',
  undo_decided: 'undo',
}

/** Each decision uses one surface, which was good for it; what was used is never used again. */
const nonces: Invariant = ({ before, now, event }) => {
  const was = new Map(before?.surfaces.map((surface) => [surface.id, surface]))
  const used = now.surfaces.filter(
    ({ id, used_action: action }) => (was.get(id)?.used_action ?? null) !== action,
  )
  for (const surface of before?.surfaces ?? []) {
    const is = now.surfaces.find(({ id }) => id === surface.id)
    if (surface.closed_at !== null && is?.closed_at !== surface.closed_at)
      return 'a closed surface was opened or used again'
  }
  const spent = used.filter(({ used_action: action }) => action !== null)
  if (spent.length !== used.length) return 'a use was taken back'
  const action = decisive[event?.type ?? ''] ?? null
  if (spent.length !== (action === null ? 0 : 1))
    return `${event?.type ?? 'a heartbeat'} used ${spent.length} surfaces`
  for (const surface of spent) {
    const open = was.get(surface.id)
    if (surface.used_action !== action) return `${event?.type} used the button ${surface.used_action}`
    if (surface.used_by !== event?.actor) return 'a decision names another person than its event'
    if (open !== undefined && open.revision !== before?.task.revision) return 'a stale button was used'
    if (open !== undefined && open.expires_at <= (event?.at ?? 0)) return 'an expired button was used'
  }
  const offered = now.surfaces.filter(({ closed_at: closed }) => closed === null)
  if (!isOffered(now)) return offered.length === 0 ? null : 'a button is left open'
  if (offered.some(({ revision }) => revision !== now.task.revision)) return 'an older revision is offered'
  return offered.length <= 1 ? null : 'it is offered twice'
}

/** Whether something is to be decided about a task by a button. */
function isOffered({ task: { kind, status, phase, delivery } }: View): boolean {
  if (status === 'DRAFT') return true
  return (
    status === 'APPLIED' &&
    phase === null &&
    kind !== 'question' &&
    ['none', 'undone', 'conflict', 'rejected', 'merged', 'pr_closed'].includes(delivery)
  )
}

interface Budget {
  readonly steps: number
  readonly seconds: number
  readonly tokens: number | null
}

/** A box gets at least a second, and its last heartbeat is charged as a whole. */
const slackMs = 2_000

/** No agent is begun on a budget that is used up; each box overruns it by this at most, or by one call of a model. */
const budgets: Invariant = ({ before, now, event }) => {
  const { task } = now
  const { steps, seconds, tokens } = JSON.parse(task.budget) as Budget
  if (before !== null && task.spent_ms < before.task.spent_ms) return 'time was given back'
  const charged = task.spent_ms > (before?.task.spent_ms ?? 0)
  if (charged && task.spent_ms > seconds * 1000 + slackMs * now.attempts.length)
    return `${task.spent_ms} ms are spent of ${seconds} seconds`
  const paid = task.spent_tokens > (before?.task.spent_tokens ?? 0)
  if (paid && tokens !== null && task.spent_tokens > tokens + mostTokens)
    return `${task.spent_tokens} tokens are spent of ${tokens}`
  const begun = event?.type === 'begun' && event.data.includes('"kind":"agent"')
  if (begun && task.spent_steps >= steps) return `step ${task.step} of ${steps} was begun`
  if (begun && (before?.task.spent_ms ?? 0) >= seconds * 1000) return 'an agent was begun without any time'
  return task.spent_steps > (before?.task.spent_steps ?? 0) && task.spent_steps > steps
    ? `${task.spent_steps} steps are spent of ${steps}`
    : null
}

const charging = new Set(['answered', 'checkpointed', 'violated'])

/** A step is charged once, in its order, when it is over. */
const steps: Invariant = ({ before, now, event }) => {
  const was = before?.task.spent_steps ?? 0
  const wanted = charging.has(event?.type ?? '') ? was + 1 : was
  if (now.task.spent_steps !== wanted) return `${was} steps become ${now.task.spent_steps}`
  return wanted === was || event?.step === wanted ? null : `step ${event?.step} was charged as step ${wanted}`
}

/** Attempts and steps have no gaps, one is open at most, what is over stays as it is, and the head is the last commit. */
const checkpoints: Invariant = ({ before, now }) => {
  const { attempts, task } = now
  if (attempts.filter(({ state }) => state === 'open').length > 1) return 'two attempts are open'
  for (const [index, row] of attempts.entries()) {
    const last = attempts[index - 1]
    const next = last?.step === row.step ? last.attempt + 1 : 1
    if (row.attempt !== next) return `attempt ${row.attempt} of step ${row.step} should be ${next}`
    if (last !== undefined && row.step > Math.max(last.step + 1, 1))
      return `step ${row.step} comes after ${last.step}`
    if (row.step > task.spent_steps + 1) return `step ${row.step} was begun with ${task.spent_steps} done`
  }
  for (const row of before?.attempts ?? []) {
    const is = attempts.find(({ step, attempt }) => step === row.step && attempt === row.attempt)
    if (is === undefined) return 'an attempt is gone'
    if (row.state !== 'open' && (is.state !== row.state || is.commit_id !== row.commit_id))
      return `attempt ${row.attempt} of step ${row.step} was over, and was changed`
  }
  for (let step = 1; step <= task.spent_steps; step += 1) {
    const own = attempts.filter((row) => row.step === step)
    if (!own.some(isOver)) return `step ${step} is charged, and none of its attempts is over`
    if (own.filter(({ state }) => state === 'kept').length > 1) return `step ${step} is kept twice`
  }
  const head = attempts.findLast(({ commit_id: commit }) => commit !== null)?.commit_id ?? task.base_commit
  return task.head === head ? null : `the head is ${task.head}, and the last commit ${head}`
}

const isOver = ({ state, violations }: AttemptRow): boolean => state === 'kept' || violations !== '[]'

/** Nothing goes wrong inside Cofferdam itself, whatever goes wrong around it. */
const sound: Invariant = ({ event }) =>
  event?.type === 'failed' && event.text.startsWith('Cofferdam itself') ? event.text : null

/** Sent or discarded letters go by age, ms; no history lasts as long, but clocks are put forward in it. */
const forgottenMs = 30 * 24 * 3_600_000

/** With each event, and never otherwise, each destination that is told of such news gets its letter. */
const letters: Invariant = ({ before, now, event }) => {
  const known = new Set(before?.letters.map(({ id }) => id))
  const fresh = now.letters.filter(({ id }) => !known.has(id))
  const wanted = event === null ? [] : toldOf(event)
  const got = fresh.map(({ destination, type }) => `${destination} ${type}`)
  if (wanted.join() !== got.join()) return `${event?.type}: ${got.join()} in place of ${wanted.join()}`
  if (fresh.some((letter) => letter.event !== event?.seq)) return 'a letter is about another event'
  const still = new Set(now.letters.map(({ id }) => id))
  const gone = before?.letters.find(({ id }) => !still.has(id))
  const aged = gone?.ended_at != null && now.task.updated_at - gone.ended_at >= forgottenMs
  return gone === undefined || aged ? null : `letter ${gone.id} is gone`
}

const newsOfType: Readonly<Record<string, string>> = {
  discarded: 'task.discarded',
  merged: 'task.merged',
  undo_refused: 'task.undo_refused',
  merge_refused: 'task.unmerged',
  undone: 'task.undone',
  pull_opened: 'task.proposed',
  pull_refused: 'task.unproposed',
  pull_merged: 'task.pull_merged',
  pull_closed: 'task.pull_closed',
}

function toldOf({ type, from_status: from, to_status: to }: EventRow): readonly string[] {
  const named = newsOfType[type] ?? null
  const offered = type === 'suggested' && to === 'DRAFT'
  const news = named ?? (from !== to || offered ? `task.${to.toLowerCase()}` : null)
  return Object.entries(told).flatMap(([destination, types]) =>
    news !== null && (types as readonly string[]).includes(news) ? [`${destination} ${news}`] : [],
  )
}

/** A question changes nothing and is delivered nowhere, and it is over once it has its answer. */
const questions: Invariant = ({ now: { task, attempts } }) => {
  if (task.kind !== 'question')
    return task.answer === null ? null : 'a task that was to change something answers'
  if (task.head !== task.base_commit || attempts.some(({ kind }) => kind !== null && kind !== 'agent'))
    return 'a question did more than to ask an agent'
  if (!['none', 'discarded'].includes(task.delivery)) return `a question is ${task.delivery}`
  if ((task.answer !== null) !== (task.status === 'APPLIED'))
    return `it is ${task.status}, and ${task.answer === null ? 'not ' : ''}answered`
  return null
}

/** A task that a schedule has made is one run of it, which is no other task. */
const schedules: Invariant = ({ now }) => wrongRun(now)

/** What is wrong with the run that a task is on record as, or null. */
export function wrongRun({ events, run }: View): string | null {
  const born = JSON.parse(events[0]?.data ?? '{}') as { readonly schedule?: Run }
  const [is, wanted] = [run, born.schedule].map((each) => each && `${nameOf(each)} at ${timeOf(each)}`)
  if ((is ?? null) !== (wanted ?? null)) return `a task of ${wanted} is on record as of ${is}`
  return run === null || run.state === 'made' ? null : `its run is ${run.state}`
}

interface Run {
  readonly name: string
  readonly plannedAt: number
}

const nameOf = (each: Run | RunRow): string => ('name' in each ? each.name : each.schedule)
const timeOf = (each: Run | RunRow): number => ('name' in each ? each.plannedAt : each.planned_at)

const isWorking = ({ task }: View): boolean => workingStatuses.includes(task.status as Status)

/** Held against every write. */
export const invariants = {
  transitions,
  final,
  fences,
  stale,
  nonces,
  budgets,
  steps,
  checkpoints,
  sound,
  letters,
  schedules,
  questions,
} as const satisfies Record<string, Invariant>

/** Those that a write breaks, with what is wrong. */
export function brokenBy(moment: Moment): readonly string[] {
  return Object.entries(invariants).flatMap(([name, holds]) => {
    const wrong = holds(moment)
    return wrong === null ? [] : [`${name}: ${wrong}`]
  })
}
