import { isAtLeast, shortOf } from '../../../src/domain/posture.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'
import type { Along } from '../../tasks.ts'
import { closed } from '../attempts.ts'
import { type Entry, entryOf } from '../entry.ts'
import { carriedOver } from '../under-way.ts'
import { placeOf, type Work } from '../work.ts'

/**
 * Makes sure of the engine's walls, makes the task's place on disk, and finds out where to go on: nothing so far, a live
 * box, or a candidate.
 */
export async function prepare(work: Work): Promise<void> {
  const { deps, task } = work
  const posture = await deps.engine.posture()
  if (!isAtLeast(posture.level, task.policy.posture)) {
    work.report({ type: 'halted', reason: 'posture', text: shortOf(posture, task.policy.posture) })
    return
  }
  const open = deps.store.openCheckpoint(task.id)
  if (open !== null && open.candidate === null && !(await deps.worktrees.isLaidOut(placeOf(task)))) {
    forsake(work, open)
    return
  }
  await deps.worktrees.open(placeOf(task))
  const boxes = open === null ? [] : await deps.engine.list()
  if (work.signal.aborted) return
  const found = entryOf(task, open, boxes, deps.specHash)
  const entry = (await lacksSetup(work, found)) ? setupAgain : found
  work.report({ type: 'advanced', phase: entry.phase, text: entry.text }, alongOf(work, open, entry))
}

/**
 * What was under way went with its worktree, as where a backup was restored. On record before a worktree is made anew:
 * that would look as if the attempt had undone all earlier steps.
 */
function forsake(work: Work, open: Checkpoint): void {
  const what = open.step === 0 ? 'preparation starts again' : `step ${open.step} starts again`
  work.report(
    { type: 'lost', text: `The worktree is not in the data folder: ${what} from the last checkpoint.` },
    { checkpoints: [closed(open, 'dropped', work.deps.clock())] },
  )
}

const setupAgain: Entry = {
  phase: 'setup',
  open: 'drop',
  text: 'What setup left is no longer on disk as it was recorded, so setup runs again.',
}

/** Whether the next box would be given something else than what setup left. A live box has its mounts already. */
async function lacksSetup({ deps, task }: Work, entry: Entry): Promise<boolean> {
  if (task.setupKey === null || entry.open === 'keep' || entry.phase === 'handover') return false
  return !(await deps.worktrees.setupIntact(placeOf(task), task.setupKey))
}

/** What is written with it: what becomes of the attempt under way, or under which fences its box goes on. */
function alongOf(work: Work, open: Checkpoint | null, entry: Entry): Along {
  if (open === null) return {}
  switch (entry.open) {
    case 'keep':
      return { data: { box: open.box?.name, madeUnder: open.box?.fence, takenUnder: work.task.fence } }
    case 'carry':
      return { checkpoints: carriedOver(work, open) }
    case 'drop':
      return { checkpoints: [closed(open, 'dropped', work.deps.clock())] }
  }
}
