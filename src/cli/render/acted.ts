import type { Act } from '../../domain/control-plane.ts'
import { isByName } from '../../domain/remote.ts'
import { quoted } from '../../domain/shell.ts'
import type { Task, TaskEvent } from '../../domain/task.ts'
import type { Paint } from '../terminal.ts'
import type { Spell } from './next.ts'
import { approvedLines } from './progress.ts'
import { respelled } from './respelled.ts'
import { nextLines } from './summary.ts'
import { plain } from './text.ts'

/** What came of an act, and what can be done next. `events`: those of the act. */
export function actedLines(
  act: Act,
  task: Task,
  events: readonly TaskEvent[],
  spell: Spell,
  paint: Paint,
): readonly string[] {
  return [
    `Task ${task.id} is ${respelled(stateAfter(act, task), spell)}`,
    ...events.flatMap((event) => approvedLines(event, paint)),
    ...(act.act === 'discard' ? [] : nextLines(task, spell)),
  ]
}

function stateAfter(act: Act, task: Task): string {
  if (act.act === 'discard') return `discarded. ${branchAfter(task)}`
  if (act.act === 'merge' || act.act === 'undo')
    return `${task.status}. ${plain(task.merge?.said ?? `It is on the way into ${task.merge?.into}.`)}`
  if (act.act === 'pull-request' || act.act === 'pull-ended')
    return `${task.status}. ${plain(task.pull?.said ?? `It is on the way to ${task.pull?.project}.`)}`
  if (act.act === 'steer') return `${task.status}. The next prompt says so.`
  return task.halt === null ? `${task.status}.` : `${task.status}. ${plain(task.halt.text)}`
}

/** What a repository has been given stays there. Validated work may have reached it without being recorded as applied. */
function branchAfter({ kind, status, outcome, branch, repository }: Task): string {
  if (kind === 'question') return 'Your repository has nothing of it, and its answer stays on record.'
  if (status !== 'APPLIED' && outcome === null) return 'Your repository has no branch of it.'
  if (isByName(repository.path)) return 'Its branch in the mirror is gone with it.'
  const git = `git -C ${quoted(repository.path)} branch -D ${quoted(branch)}`
  const where = plain(repository.path)
  return status === 'APPLIED'
    ? `A branch ${branch} stays in ${where}: \`${git}\` removes it.`
    : `${where} may have a branch ${branch}: \`${git}\` removes it.`
}
