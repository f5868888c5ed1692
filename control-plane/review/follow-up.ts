import { budgetParts } from '../../src/domain/budget.ts'
import type { Caller } from '../../src/domain/caller.ts'
import type { BudgetRequest } from '../../src/domain/intake.ts'
import { largerBudget } from '../../src/domain/risk/budget.ts'
import { risksInText } from '../../src/domain/risk/said.ts'
import type { Budget, RiskReason, Task } from '../../src/domain/task.ts'
import { unbegun } from '../../src/domain/unbegun.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { authorOf } from '../gate/author.ts'
import type { Tasks } from '../tasks.ts'

export interface FollowUpDeps {
  readonly tasks: Pick<Tasks, 'freshId'>
  readonly worktrees: Pick<Worktrees, 'inspect' | 'branchFor'>
  readonly defaults: { readonly budget: Budget }
  readonly clock: () => number
}

/**
 * The task that changes another's work: it begins at that one's head, with its agent, commands, policy and budget, which
 * were agreed to. What is new is read by the rules of a submission; it is not written yet.
 * @param wanted.text what is new of the goal
 */
export async function followUp(
  { tasks, worktrees, defaults, clock }: FollowUpDeps,
  parent: Task,
  wanted: { readonly goal: string; readonly text: string; readonly budget: BudgetRequest },
  caller: Caller,
): Promise<{ readonly task: Task; readonly notes: readonly string[] }> {
  const repository = await worktrees.inspect(parent.repository.path, parent.head)
  const budget: Budget = { ...parent.budget, ...budgetParts(wanted.budget) }
  const risks: readonly RiskReason[] = [
    ...risksInText(wanted.text, parent.goal),
    ...largerBudget(budget, parent.budget, defaults.budget),
  ]
  // To ask for it is the recorded approval of one who may approve.
  const waits = risks.length > 0 && authorOf(caller) !== 'owner'
  const id = tasks.freshId()
  const now = clock()
  const task: Task = {
    ...parent,
    ...unbegun,
    id,
    status: waits ? 'DRAFT' : 'PENDING',
    goal: wanted.goal,
    base: { ref: parent.base.ref, commit: parent.head },
    branch: await worktrees.branchFor(parent.repository.path, id),
    budget,
    risks,
    parentTaskId: parent.id,
    createdBy: caller.actor,
    createdAt: now,
    updatedAt: now,
  }
  return { task, notes: repository.notes }
}
