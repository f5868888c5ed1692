import { fixedHash, type InterimAttestation } from '../attestation.ts'
import { sha256 } from '../canonical-json.ts'
import { isReadable, type Unreadable } from '../failure.ts'
import type { TaskId } from '../ids.ts'
import { policyHash } from '../policies.ts'
import { isAtRest, isWorking, type Task } from '../task.ts'
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
 * Holds all that there is of a task against its attestations. Pure. What it cannot find: what a box under way has used and
 * asked for, until its step is attested (a note says so); a lost attempt of an earlier step, until the task rests; an older state of a task put back as a whole, rows and branches,
 * by who has a copy of it or, for a state in which it rested, can make one up; a task that was taken out as a whole; and
 * anything by who has the key. Boxes' output in the log files is not attested.
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
    findings.push(
      ...checkTask(task, links),
      ...checkStatus(task, evidence),
      ...checkEnd(task, evidence, links),
    )
    if (!isReadable(evidence.history)) {
      findings.push({ where: 'branch', text: evidence.history.unreadable })
    } else if (isReadable(evidence.checkpoints)) {
      const branches = checkBranches(task, steps, rows, evidence.history)
      findings.push(...branches.findings)
      notes.push(...branches.notes)
    }
    notes.push(...notYet(task))
  } else {
    findings.push({ where: 'task', text: evidence.task.unreadable })
  }
  // Not only the last: what a task left before a resume stays as it was.
  for (const [index, { attestation }] of links.entries()) {
    const last = isReadable(evidence.task) && attestation.events.upTo === evidence.task.version
    if (attestation.kind === 'closing') findings.push(...checkRecord(attestation, evidence.record, last))
    if (attestation.kind === 'interim')
      findings.push(...checkInterim(attestation, evidence, links[index + 1]))
  }
  const different = [...new Map(findings.map((each) => [`${each.where}\n${each.text}`, each])).values()]
  const holds = different.length === 0
  return { task: evidence.id, attestations: signed.length, holds, findings: different, notes }
}

/** What a task that is not at rest is attested with stays only where it was no longer true, or under a key given up since. */
function checkInterim(
  attestation: InterimAttestation,
  { interim }: Evidence,
  next: Link | undefined,
): readonly VerificationFinding[] {
  if (next === undefined) return checkRecord(attestation, interim, true)
  if (next.attestation.key !== attestation.key) return []
  const text = `The task was no longer as it says when it went on: its rows were changed after event ${attestation.events.upTo}.`
  return [{ where: `attestation ${attestation.seq}`, text }]
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
  const named = last === undefined || last.kind === 'interim' ? undefined : last
  if (named !== undefined && named.goal !== sha256(task.goal)) findings.push(say('Its goal was changed.'))
  if (policyHash(task.policy) !== task.policyHash)
    findings.push(say('Its policy is not that of its policy hash.'))
  if (named !== undefined && named.policy !== task.policyHash)
    findings.push(say('Its policy hash was changed.'))
  return findings
}

/** A task is where its last event has put it. */
function checkStatus(task: Task, { lastEvent }: Evidence): readonly VerificationFinding[] {
  if (lastEvent === null) return []
  if (!isReadable(lastEvent)) return [{ where: 'events', text: lastEvent.unreadable }]
  const said = {
    status: lastEvent.to,
    step: lastEvent.step,
    attempt: lastEvent.attempt,
    fence: lastEvent.fence,
  }
  return (['status', 'step', 'attempt', 'fence'] as const)
    .filter((name) => said[name] !== task[name])
    .map((name) => ({
      where: 'task',
      text: `Its ${name} is ${task[name]}, but its last event says ${said[name]}: one of them was changed.`,
    }))
}

/** Nothing is cut off at the end. */
function checkEnd(task: Task, { events }: Evidence, links: readonly Link[]): readonly VerificationFinding[] {
  const findings: VerificationFinding[] = []
  if (task.version !== events.length) {
    const text = `Its version is ${task.version}, but it has ${events.length} events: one of them was changed.`
    findings.push({ where: 'task', text })
  }
  const last = links.at(-1)?.attestation
  const kind = isAtRest(task) ? 'closing' : 'interim'
  if (last?.kind !== kind || last.events.upTo !== task.version) {
    const text =
      last === undefined
        ? 'It has none: it is from before there were any, or they were taken out.'
        : `The chain is cut short after number ${last.seq}: that of a task that is ${task.status} ends with ${ends[kind]}.`
    findings.push({ where: 'attestations', text })
  }
  return findings
}

const ends = { closing: 'a closing one', interim: 'one of its last event' } as const

function notYet(task: Task): readonly string[] {
  if (!isWorking(task)) return []
  return [
    `The task is ${task.status}: what its box has used and asked for is attested when the step ends or the task comes to rest.`,
  ]
}
