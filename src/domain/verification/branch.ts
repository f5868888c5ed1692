import type { CommitId } from '../brand.ts'
import { isReadable } from '../failure.ts'
import { type Checkpoint, isAtRest, type Task } from '../task.ts'
import { counted } from '../text.ts'
import type { Branch, BranchCommit, History } from '../worktree.ts'
import { short, stepName, type VerificationFinding } from './evidence.ts'
import type { AttestedStep } from './steps.ts'

interface Checked {
  readonly findings: readonly VerificationFinding[]
  readonly notes: readonly string[]
}

/**
 * The commits from the base to the head, in the mirror and in the source, against the attestations of the steps.
 * @param rows all attempts, also those that are not attested
 */
export function checkBranches(
  task: Task,
  steps: readonly AttestedStep[],
  rows: readonly Checkpoint[],
  history: History,
): Checked {
  const made = steps.filter(({ attestation }) => attestation.candidate?.changed === true)
  const head = made.at(-1)?.row?.commit ?? task.base.commit
  const findings: VerificationFinding[] = []
  const notes: string[] = []
  if (task.head !== head) {
    const text = `The task's head is ${short(task.head)}, but its last attested commit is ${short(head)}.`
    findings.push({ where: 'task', text })
  }
  if (task.delivery === 'discarded') {
    notes.push('The task is discarded: its branch here is gone with its work.')
  } else if (!isReadable(history.mirror)) {
    findings.push({ where: 'branch', text: history.mirror.unreadable })
  } else {
    findings.push(
      ...checkBranch('branch', task, made, history.mirror, (extra) => mayBeAhead(task, rows, extra)),
    )
  }
  const where = `branch in ${task.repository.path}`
  // A question hands nothing over: a branch of its name in the repository is not ours.
  if (task.kind === 'question') return { findings, notes }
  if (!isReadable(history.source))
    notes.push(`The repository was not looked at: ${history.source.unreadable}`)
  else if (task.status !== 'APPLIED') findings.push(...checkEarlier(where, steps, history.source))
  else if (history.source.tip === null)
    notes.push(
      `${task.repository.path} has no branch ${task.branch} any more, so it was not looked at there.`,
    )
  else {
    const onTop = history.source.commits.length - made.length
    if (onTop > 0) notes.push(`${task.branch} in ${task.repository.path} has ${onTop} more on top: not ours.`)
    findings.push(...checkBranch(where, task, made, history.source, () => true))
  }
  return { findings, notes }
}

/** Between a commit and its record, the branch is one ahead: by a candidate that is on record, or by what a halt left. */
function mayBeAhead(task: Task, rows: readonly Checkpoint[], extra: readonly BranchCommit[]): boolean {
  const [commit] = extra
  if (commit === undefined) return true
  if (isAtRest(task) || extra.length > 1 || commit.attestation === null) return false
  const isLeft = task.phase === 'salvage' || task.phase === 'postponed'
  const open = rows.filter(({ state }) => state === 'open')
  return isLeft || open.some(({ candidate }) => candidate?.commit === commit.unsealed)
}

/**
 * The branch of a task that is not applied, where a handover was broken off: it may be behind, but what is on it and names
 * an attestation was attested before, as it is. What names none is not ours.
 */
function checkEarlier(
  where: string,
  steps: readonly AttestedStep[],
  { commits }: Branch,
): readonly VerificationFinding[] {
  return commits.flatMap((commit) => {
    if (commit.attestation === null) return []
    const step = steps.find(({ hash }) => hash === commit.attestation)
    const named = `Its commit ${short(commit.id)} names the attestation ${short(commit.attestation)}`
    if (step === undefined) return [{ where, text: `${named}, which was taken out.` }]
    const why = differenceOf(commit, step, step.attestation.candidate?.parent ?? null)
    return why === null ? [] : [{ where, text: `${named}, but is not that of its step: ${why}.` }]
  })
}

/** `mayFollow`: whether these commits, oldest first, may come after the last that was attested. */
function checkBranch(
  where: string,
  task: Task,
  made: readonly AttestedStep[],
  { tip, commits }: Branch,
  mayFollow: (extra: readonly BranchCommit[]) => boolean,
): readonly VerificationFinding[] {
  const findings: VerificationFinding[] = []
  const say = (text: string): void => void findings.push({ where, text })
  const oldestFirst = commits.toReversed()
  let parent: CommitId = task.base.commit
  for (const [index, step] of made.entries()) {
    const commit = oldestFirst[index]
    const name = stepName(step.attestation)
    if (commit === undefined) {
      say(
        tip === null
          ? `It is gone, and with it the commit of ${name}.`
          : `It was moved back to ${short(tip)}: the commit of ${name} is not on it.`,
      )
      return findings
    }
    const why = differenceOf(commit, step, parent)
    if (why !== null) {
      say(`Its commit ${short(commit.id)} is not that of ${name}: ${why}.`)
      return findings
    }
    parent = commit.id
  }
  const extra = oldestFirst.slice(made.length)
  if (extra.length > 0 && !mayFollow(extra)) {
    const id = extra[0]?.id ?? ''
    say(
      `It has ${counted(extra.length, 'commit')} after the last attested one, the first of them ${short(id)}.`,
    )
  }
  return findings
}

function differenceOf(
  commit: BranchCommit,
  { attestation, hash, row }: AttestedStep,
  parent: CommitId | null,
): string | null {
  const { candidate } = attestation
  if (candidate === null) return 'that made none'
  if (!commit.sound) return 'what it consists of is missing, damaged or replaced'
  if (commit.attestation === null) return 'it has no attestation in its message'
  if (commit.attestation !== hash) return `it names the attestation ${short(commit.attestation)}`
  if (commit.tree !== candidate.tree) return 'its tree is another'
  if (commit.parents.length !== 1 || commit.parents[0] !== candidate.parent || candidate.parent !== parent)
    return 'it follows another commit'
  if (commit.unsealed !== candidate.commit) return 'its message, author or time was changed'
  if (row !== null && row.commit !== commit.id)
    return `runtime_task_checkpoints names ${short(row.commit ?? 'none')}`
  return null
}
