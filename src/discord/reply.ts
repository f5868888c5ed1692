import type { Act } from '../domain/control-plane.ts'
import { canFollowUp } from '../domain/question/follow-up.ts'
import type { Task } from '../domain/task.ts'
import { possibleActs } from '../domain/transition/apply.ts'

/** A further question in the thread of an answered one. */
interface FollowUp {
  readonly act: 'ask'
  readonly text: string
}

/**
 * The task that a plain message in a thread is for, of all that it is about, newest first: the newest, or where that is a
 * question that came to nothing, the last one with an answer.
 */
export function addressee(newest: Task, tasks: readonly Task[]): Task {
  const isOver = newest.status === 'REJECTED' || newest.delivery === 'discarded'
  return newest.kind === 'question' && isOver ? (tasks.find(canFollowUp) ?? newest) : newest
}

/** What a plain message in a task's thread does, by the task's state; a sentence where it can do nothing. */
export function actOfReply(task: Task, said: string): Act | FollowUp | string {
  const text = said.trim()
  const word = text.toLowerCase().replace(/[.!。！]+$/u, '')
  const acts = possibleActs(task)
  if (stops.has(word)) return { act: 'stop', text: null }
  if (pauses.has(word)) return { act: 'pause' }
  if (resumes.has(word)) return { act: 'resume', instruction: null, budget: null }
  // Whoever means the buttons adds nothing to the goal.
  if (task.status === 'DRAFT' && decides.has(word))
    return `That decides nothing: press a button of the draft above, or use \`/task_approve\` or \`/task_reject\` with task:${task.id}.`
  if (acts.includes('resume')) return { act: 'resume', instruction: text, budget: null }
  if (task.status === 'DRAFT') return { act: 'suggest', text }
  if (acts.includes('steer')) return { act: 'steer', text }
  if (canFollowUp(task)) return { act: 'ask', text }
  if (task.kind === 'question' && task.delivery !== 'discarded' && task.status !== 'REJECTED')
    return `The question \`${task.id}\` is being answered: ask the next one when it is.`
  return `Task \`${task.id}\` is ${task.status}, which is final: begin a new one for that.`
}

const words = (all: string): ReadonlySet<string> => new Set(all.split(', '))
const decides = words(
  "approve, approved, i approve, yes, y, yep, ok, okay, lgtm, go, go ahead, do it, run it, reject, rejected, i reject, no, n, nope, don't, do not, 批准, 同意, 通过, 可以, 好, 好的, 行, 是, 是的, 拒绝, 驳回, 否决, 不, 不行, 不可以, 不要, 否",
)
const stops = words('stop, cancel, 停止, 停, 取消')
const pauses = words('pause, 暂停')
const resumes = words('resume, continue, go on, 继续, 恢复')
