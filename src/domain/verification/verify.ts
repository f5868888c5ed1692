import { fixedHash } from '../attestation.ts'
import { sha256 } from '../canonical-json.ts'
import { isReadable, type Unreadable } from '../failure.ts'
import type { TaskId } from '../ids.ts'
import { policyHash } from '../policies.ts'
import { isAtRest, type Task } from '../task.ts'
import { checkBranches } from './branch.ts'
import { checkChain, type Link } from './chain.ts'
import type { Evidence, TrustedKey, VerificationFinding } from './evidence.ts'
import { checkRecord } from './record.ts'
import { checkSteps, stepsOf } from './steps.ts'

/** What became of checking a task against its attestations. */
export interface Verification {
  readonly task: TaskId
  /** How many there are. */
  readonly attestations: number
  /** Whether nothing was found. */
  readonly holds: boolean
  readonly findings: readonly VerificationFinding[]
  /** What could not be looked at, or is not attested yet: sentences. */
  readonly notes: readonly string[]
}

/**
 * Holds all that there is of a task against its attestations. Pure. What it cannot find: what was written to the rows of a
 * task under way before they were attested (notes say up to where they are); an older state of a task put back as a whole,
 * rows and branches; a task that was taken out as a whole; and anything by who has the key. Boxes' output in the log files
 * is not attested.
 */
export function verifyTask(evidence: Evidence, keys: readonly TrustedKey[]): Verification {
  const findings: VerificationFinding[] = []
  const notes: string[] = []
  const read = <T extends object>(value: T | Unreadable, where: string, instead: T): T => {
    if (isReadable(value)) return value
    findings.push({ where, text: value.unreadable })
    return instead
  }
  const signed = read(evidence.attestations, 'attestations', [])
  const rows = read(evidence.checkpoints, 'checkpoints', [])
  const { links, findings: broken } = checkChain(evidence, signed, keys)
  findings.push(...broken, ...checkEvents(evidence, links))
  const steps = stepsOf(links, rows)
  if (isReadable(evidence.checkpoints)) findings.push(...checkSteps(steps, rows, evidence.record))
  if (isReadable(evidence.task)) {
    const { task } = evidence
    findings.push(...checkTask(task, links), ...checkEnd(task, evidence, links))
    if (!isReadable(evidence.history)) {
      findings.push({ where: 'branch', text: evidence.history.unreadable })
    } else if (isReadable(evidence.checkpoints)) {
      const branches = checkBranches(task, steps, rows, evidence.history)
      findings.push(...branches.findings)
      notes.push(...branches.notes)
    }
    notes.push(...notYet(task, links))
  } else {
    findings.push({ where: 'task', text: evidence.task.unreadable })
  }
  // Not only the last: what a task left before a resume stays as it was.
  for (const { attestation } of links) {
    if (attestation.kind !== 'closing') continue
    const last = isReadable(evidence.task) && attestation.events.upTo === evidence.task.version
    findings.push(...checkRecord(attestation, evidence.record, last))
  }
  const different = [...new Map(findings.map((each) => [`${each.where}\n${each.text}`, each])).values()]
  const holds = different.length === 0
  return { task: evidence.id, attestations: signed.length, holds, findings: different, notes }
}

/** The chain over the events says what it said when it was attested. */
function checkEvents({ events }: Evidence, links: readonly Link[]): readonly VerificationFinding[] {
  const say = (text: string): readonly VerificationFinding[] => [{ where: 'events', text }]
  const gap = events.findIndex(({ upTo }, index) => upTo !== index + 1)
  if (gap !== -1) return say(`Event ${gap + 1} is gone from runtime_task_events.`)
  let sound = 0
  for (const { attestation } of links) {
    const { upTo, chain } = attestation.events
    const now = events[upTo - 1]
    if (now === undefined)
      return say(`Events ${events.length + 1} to ${upTo} are gone from runtime_task_events.`)
    if (now.chain !== chain)
      return say(`One of the events ${sound + 1} to ${upTo} in runtime_task_events was changed.`)
    sound = upTo
  }
  return []
}

/** What never changes of a task, and its policy. */
function checkTask(task: Task, links: readonly Link[]): readonly VerificationFinding[] {
  const last = links.at(-1)?.attestation
  const say = (text: string): VerificationFinding => ({ where: 'task', text })
  const findings: VerificationFinding[] = []
  const fixed = fixedHash(task)
  if (links.some(({ attestation }) => attestation.fixed !== fixed))
    findings.push(say('Its goal, repository, base, branch, agent, setup, test, risks or origin was changed.'))
  if (last !== undefined && last.goal !== sha256(task.goal)) findings.push(say('Its goal was changed.'))
  if (policyHash(task.policy) !== task.policyHash)
    findings.push(say('Its policy is not that of its policy hash.'))
  if (last !== undefined && last.policy !== task.policyHash)
    findings.push(say('Its policy hash was changed.'))
  return findings
}

/** Nothing is cut off at the end. */
function checkEnd(task: Task, { events }: Evidence, links: readonly Link[]): readonly VerificationFinding[] {
  const findings: VerificationFinding[] = []
  if (task.version !== events.length) {
    const text = `Its version is ${task.version}, but it has ${events.length} events: one of them was changed.`
    findings.push({ where: 'task', text })
  }
  const last = links.at(-1)?.attestation
  const closed = last?.kind === 'closing' && last.events.upTo === task.version
  if (isAtRest(task) && !closed) {
    const text =
      last === undefined
        ? 'It has none: it is from before there were any, or they were taken out.'
        : `The chain is cut short after number ${last.seq}: a task that is ${task.status} ends with a closing one.`
    findings.push({ where: 'attestations', text })
  }
  return findings
}

function notYet(task: Task, links: readonly Link[]): readonly string[] {
  const covered = links.at(-1)?.attestation.events.upTo ?? 0
  if (isAtRest(task) || covered === task.version) return []
  return [
    `The task is ${task.status}: what happened since event ${covered} is attested when its step ends or it comes to rest.`,
  ]
}
