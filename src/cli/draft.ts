import type { Task } from '../domain/task.ts'
import type { Follower } from './follow.ts'
import type { Pursuit } from './pursuit.ts'
import { hang } from './render/text.ts'

/**
 * A draft waits for a person: `--yes` is the decision, at a terminal it is asked for, and else it is left.
 * A decision made elsewhere takes the question back.
 * @returns the task as it is then, a DRAFT where nothing was decided; null when left by a signal
 */
export async function settleDraft(
  pursuit: Pursuit,
  follower: Follower,
  task: Task,
  leave: AbortSignal,
): Promise<Task | null> {
  const { place, reporter, world, yes, quiet } = pursuit
  reporter.note('This task wants a person, because:')
  for (const { rule, text } of task.risks) reporter.note(`  ${rule}: ${hang(text, 4)}`)
  if (yes) return place.client.act(task.id, { act: 'approve' })
  if (quiet || !world.terminal.asks) return task

  const answered = new AbortController()
  const decided = new AbortController()
  const watching = follower
    .until((now) => now.status !== 'DRAFT', { leave: AbortSignal.any([leave, answered.signal]) })
    .finally(() => decided.abort())
  reporter.pause()
  const answer = await question(pursuit, decided.signal)
  answered.abort()
  const elsewhere = await watching.finally(() => reporter.resume())
  if (elsewhere !== null) return elsewhere
  if (leave.aborted) return null
  return answer === 'leave' ? task : place.client.act(task.id, decisions[answer])
}

const decisions = { approve: { act: 'approve' }, reject: { act: 'reject', text: null } } as const

async function question({ world }: Pursuit, signal: AbortSignal): Promise<'approve' | 'reject' | 'leave'> {
  for (;;) {
    const answer = await world.terminal.ask('[a]pprove, [r]eject or [l]eave it for later? ', signal)
    const word = answer?.trim().toLowerCase()
    if (word === undefined || word === 'l' || word === 'leave') return 'leave'
    if (word === 'a' || word === 'approve') return 'approve'
    if (word === 'r' || word === 'reject') return 'reject'
  }
}
