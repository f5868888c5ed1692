import type { BoxSeen } from '../../../src/domain/box.ts'
import type { Phase, Task, Checkpoint } from '../../../src/domain/task.ts'
import type { Along } from '../../tasks.ts'
import { closed } from '../attempts.ts'
import { nextStep, placeOf, type Work } from '../work.ts'
import { carriedOver } from './carry.ts'

/** Makes the task's place on disk, and finds out where to go on: nothing so far, a live box, or a candidate. */
export async function prepare(work: Work): Promise<void> {
  const { deps, task } = work
  await deps.worktrees.open(placeOf(task))
  const open = deps.store.openCheckpoint(task.id)
  const boxes = open === null ? [] : await deps.engine.list()
  if (work.signal.aborted) return
  const found = entryOf(task, open, boxes, deps.specHash)
  const entry = (await lacksSetup(work, found)) ? setupAgain : found
  work.report({ type: 'advanced', phase: entry.phase, text: entry.text }, alongOf(work, open, entry))
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

/** Where a claimed task enters the loop, and what becomes of an attempt that was under way. */
export interface Entry {
  readonly phase: Phase
  /** `keep`: it goes on in its box. `carry`: a new attempt takes over its candidate. `drop`: it is over. */
  readonly open: 'keep' | 'carry' | 'drop'
  readonly text: string
}

/** Pure: decides from what is on record and what the engine still has. */
export function entryOf(
  task: Task,
  open: Checkpoint | null,
  boxes: readonly BoxSeen[],
  specHash: (spec: NonNullable<Checkpoint['box']>) => string,
): Entry {
  if (open?.candidate != null && open.step === nextStep(task)) {
    return { phase: 'test', open: 'carry', text: `Step ${open.step} has its candidate: on to its test.` }
  }
  const box = open?.box ?? null
  const alive =
    box !== null && boxes.some((seen) => seen.name === box.name && seen.specHash === specHash(box))
  if (open !== null && box !== null && alive && open.agent === null) {
    if (box.kind === 'test') throw new Error(`the test box ${box.name} has no agent's result beside it`)
    const text = `Takes over the ${box.kind} box that is still there: made under fence ${box.fence}, goes on under ${task.fence}.`
    return { phase: box.kind, open: 'keep', text }
  }
  return {
    phase: afterPreparation(task),
    open: 'drop',
    text: open === null ? 'The worktree is ready.' : again(open),
  }
}

function again(open: Checkpoint): string {
  return open.step === 0
    ? 'Preparation starts again.'
    : `Step ${open.step} starts again from the last checkpoint.`
}

/** What comes next when nothing is under way. */
export function afterPreparation(task: Task): Phase {
  if (task.outcome !== null && task.instruction === null) return 'handover'
  if (task.setup !== null && task.setupKey === null) return 'setup'
  if (task.test !== null && task.baseline === null) return 'baseline'
  return 'agent'
}
