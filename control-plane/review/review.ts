import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Change } from '../../src/domain/marks/mark.ts'
import {
  commentProblems,
  followUpGoal,
  openNames,
  type OpenReview,
  type Reviewed,
  type ReviewRequest,
  reviewText,
  type Said,
  together,
} from '../../src/domain/review/review.ts'
import { reviewRefusal } from '../../src/domain/rights.ts'
import type { Task } from '../../src/domain/task.ts'
import { mayBeSuperseded } from '../../src/domain/transition/apply.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import type { Bus } from '../bus.ts'
import { decide, openSurface } from '../gate/surfaces.ts'
import { originOf } from '../loop/marks.ts'
import { placeOf } from '../loop/work.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import { followUp, type FollowUpDeps } from './follow-up.ts'
import { reviewsOf } from './withdraw.ts'

interface ReviewDeps extends FollowUpDeps {
  readonly store: Store
  readonly tasks: Tasks
  readonly bus: Bus
  readonly worktrees: Pick<Worktrees, 'changes' | 'inspect' | 'branchFor'>
}

/** What was said, what it is about, and who says it about which revision. */
interface Looked {
  /** What of that was said in earlier reviews. */
  readonly before: readonly OpenReview[]
  readonly said: readonly Said[]
  readonly changes: readonly Change[] | null
  readonly caller: Caller
  readonly shown: number | null
}

/**
 * Puts on record what somebody says about the work of an applied task, and has another task change it where they ask for
 * that: it begins at this one's head, which it supersedes. Rejects with `Failure`: `not_allowed`, `conflict`, `bad_request`
 * for a comment on what the task has not changed, `repository`.
 * @param shown the revision that they looked at; null where it is not bound to one
 */
export async function review(
  deps: ReviewDeps,
  id: TaskId,
  request: ReviewRequest,
  caller: Caller,
  shown: number | null,
): Promise<Reviewed> {
  const task = deps.tasks.get(id)
  const refused = reviewRefusal(caller, task)
  if (refused !== null) throw new Failure('not_allowed', refused)
  if (!mayBeSuperseded(task)) {
    const state = task.status === 'APPLIED' ? task.delivery : task.status
    throw new Failure(
      'conflict',
      `Task ${id} is ${state}: its work cannot be reviewed now. ${deps.tasks.possibleNow(task)}`,
    )
  }
  const { text, comments } = request
  const before = request.requestChanges ? reviewsOf(deps.store, id) : []
  const said = [...before.map((each) => each.said), { text, comments }]
  if (said.every((each) => each.text === null && each.comments.length === 0))
    throw new Failure(
      'bad_request',
      'Nothing is said about the work: comment on a line, or say what is to change.',
    )
  const changes = await changesFor(deps, task, said)
  const problems = commentProblems(comments, changes)
  if (problems.length > 0) throw new Failure('bad_request', problems.join(' '))
  const looked: Looked = { before, said, changes, caller, shown }
  return request.requestChanges ? await changed(deps, task, request, looked) : noted(deps, task, looked)
}

function changesFor(
  { worktrees, store }: ReviewDeps,
  task: Task,
  said: readonly Said[],
): Promise<readonly Change[] | null> {
  const paths = new Set(said.flatMap(({ comments }) => comments.map(({ path }) => path)))
  return worktrees.changes(placeOf(task), originOf(store, task), task.head, (path) => paths.has(path))
}

function noted({ tasks }: ReviewDeps, task: Task, { said, changes, caller, shown }: Looked): Reviewed {
  const input = { type: 'reviewed', text: reviewText(said, changes) } as const
  const along = () => ({ data: { ...together(said) } })
  return { task: tasks.act(task.id, input, caller.actor, along, shown), followUp: null, notes: [] }
}

/** Both tasks change in one transaction: nothing is superseded by what is not there, nor changed twice. */
async function changed(
  deps: ReviewDeps,
  task: Task,
  { budget }: ReviewRequest,
  { before, said, changes, caller, shown }: Looked,
): Promise<Reviewed> {
  const { store, tasks, bus, clock } = deps
  const text = reviewText(said, changes)
  const goal = followUpGoal(task, said, changes)
  if (goal.length > longestGoal) throw new Failure('bad_request', tooLong(task.id, goal.length, before))
  const wanted = { goal, text, budget }
  const { task: next, notes } = await followUp(deps, task, wanted, caller)
  const decided = { action: 'request_changes', text, actor: caller.actor, at: clock() }
  const both = (): Reviewed => {
    if (seqsOf(reviewsOf(store, task.id)) !== seqsOf(before))
      throw new Failure(
        'conflict',
        `Something was said about task ${task.id}, or withdrawn, meanwhile: look at it and ask again.`,
      )
    const open = next.status === 'DRAFT' ? { surface: { open: openSurface(next, clock()) } } : {}
    const followUpTask = tasks.birth(next, bornText(next, task.id), { ...open, data: { notes } })
    const along = (now: Task) => ({
      data: { by: next.id, ...together(said) },
      surface: decide(store.openSurface(task.id), now, decided),
    })
    const superseded = tasks.act(task.id, { type: 'superseded', by: next.id }, caller.actor, along, shown)
    return { task: superseded, followUp: followUpTask, notes }
  }
  const [outcome] = store.together([() => bus.held(both)])
  if (outcome === undefined) throw new Error('nothing was written')
  if (outcome.status === 'rejected') throw outcome.reason
  outcome.value.tell()
  return outcome.value.result
}

const seqsOf = (reviews: readonly OpenReview[]): string => reviews.map(({ seq }) => seq).join()

/** As long as the goal of any task may be, characters. */
const longestGoal = 20_000

function tooLong(id: TaskId, length: number, before: readonly OpenReview[]): string {
  const what = `Together with the goal, what is said has ${length.toLocaleString('en')} characters, and 20,000 are possible.`
  if (before.length === 0) return `${what} Say it in fewer words.`
  return `${what} \`cofferdam task review ${id} --withdraw N\` takes back what was said before; N is of ${openNames(before)}.`
}

function bornText({ status }: Task, parent: TaskId): string {
  const waits = status === 'DRAFT' ? '; waits for approval' : ''
  return `Submitted, to change what task ${parent} has done${waits}.`
}
