import type { BoxSeen } from '../../src/domain/box.ts'
import type { Checkpoint, Phase, Task } from '../../src/domain/task.ts'
import { nextStep } from './work.ts'

/** Where a claimed task enters the loop, and what becomes of an attempt that was under way. */
export interface Entry {
  readonly phase: Phase
  /** `keep`: it goes on. `carry`: a new attempt takes over its candidate. `drop`: it is over. */
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
  if (open !== null && open.agent !== null && open.violations.length === 0 && open.step === nextStep(task)) {
    const text = `The agent of step ${open.step} had ended: on to what it has left.`
    return { phase: 'verify', open: 'keep', text }
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
