import type { Act } from '../domain/control-plane.ts'
import { Failure } from '../domain/failure.ts'
import type { Task } from '../domain/task.ts'
import { actOnce } from './act-once.ts'
import type { Follower } from './follow.ts'
import type { Pursuit } from './pursuit.ts'
import { draftLines, reasonLines } from './render/draft.ts'

/**
 * A draft waits for a person: `--yes` is the decision, at a terminal it is asked for, and else it is left.
 * A decision made elsewhere takes the question back; what is changed elsewhere is shown and asked about anew.
 * @returns the task as it is then, a DRAFT where nothing was decided; null when left by a signal
 */
export async function settleDraft(
  pursuit: Pursuit,
  follower: Follower,
  task: Task,
  leave: AbortSignal,
): Promise<Task | null> {
  const { reporter, world, yes, quiet } = pursuit
  for (const line of reasonLines(task)) reporter.note(line)
  if (yes) return decide(pursuit, task, decisions.approve, leave)
  if (quiet || !world.terminal.asks) return task
  for (let shown = task; ;) {
    const now = await asked(pursuit, follower, shown, leave)
    if (now?.status !== 'DRAFT' || now.revision === shown.revision) return now
    reporter.note('It was changed meanwhile.')
    for (const line of draftLines(now)) reporter.note(line)
    shown = now
  }
}

/** The task after one question about it as it was shown. */
async function asked(
  pursuit: Pursuit,
  follower: Follower,
  shown: Task,
  leave: AbortSignal,
): Promise<Task | null> {
  const { reporter } = pursuit
  const answered = new AbortController()
  const decided = new AbortController()
  const watching = follower
    .until((now) => now.status !== 'DRAFT' || now.revision !== shown.revision, {
      leave: AbortSignal.any([leave, answered.signal]),
    })
    .finally(() => decided.abort())
  reporter.pause()
  const answer = await choice(pursuit, decided.signal)
  answered.abort()
  const elsewhere = await watching.finally(() => reporter.resume())
  if (elsewhere !== null) return elsewhere
  if (leave.aborted) return null
  return answer === 'leave' ? shown : decide(pursuit, shown, decisions[answer], leave)
}

const decisions = {
  approve: { act: 'approve' },
  reject: { act: 'reject', text: null },
} as const satisfies Record<string, Act>

/**
 * Decides on the task as it was shown, wherever the control plane is by now. Where that is not possible any more, as
 * somebody was faster, the task says what became of it.
 */
async function decide(
  { connection, reporter }: Pursuit,
  shown: Task,
  act: Act,
  leave: AbortSignal,
): Promise<Task | null> {
  try {
    return await actOnce(connection, shown, act, shown.revision, leave)
  } catch (error) {
    if (leave.aborted) return null
    if (!(error instanceof Failure) || error.code !== 'conflict') throw error
    const now = await connection.persist((client) => client.task(shown.id), leave)
    if (now.status === 'DRAFT' && now.revision === shown.revision) throw error
    reporter.note(error.message)
    return now
  }
}

async function choice({ world }: Pursuit, signal: AbortSignal): Promise<'approve' | 'reject' | 'leave'> {
  for (;;) {
    const answer = await world.terminal.ask('[a]pprove, [r]eject or [l]eave it for later? ', signal)
    const word = answer?.trim().toLowerCase()
    if (word === undefined || word === 'l' || word === 'leave') return 'leave'
    if (word === 'a' || word === 'approve') return 'approve'
    if (word === 'r' || word === 'reject') return 'reject'
  }
}
