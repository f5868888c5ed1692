import { left, moreBudget, usedUp } from '../../src/domain/budget.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Budget, Task } from '../../src/domain/task.ts'
import { counted } from '../../src/domain/text.ts'
import { possibleActs, possibleNow } from '../../src/domain/transition/apply.ts'

/** Throws a `conflict` where a suggestion has no place: on a task that is neither a DRAFT nor to be resumed. */
export function refuseSuggestion(task: Task): void {
  const acts = possibleActs(task)
  if (acts.includes('resume')) return
  const steer = acts.includes('steer') ? ' What you steer with is in the next prompt.' : ''
  throw new Failure(
    'conflict',
    `Task ${task.id} is ${task.status}: suggest is for a DRAFT or a halted task. ${possibleNow(task)}${steer}`,
  )
}

/** Throws a `conflict` where a resume would find its budget used up. */
export function refuseSpent(task: Task, budget: Budget, instruction: string | null): void {
  const after = left({ ...task, budget })
  // What is validated only has to be handed over, which costs neither a step nor time.
  const handover = task.outcome !== null && instruction === null
  const gone = usedUp(after)
  if (handover || gone === null) return
  const used = {
    steps: counted(task.spent.steps, 'step'),
    time: counted(Math.ceil(task.spent.ms / 60_000), 'minute'),
    tokens: counted(task.spent.tokens, 'token'),
    cost: `${task.spent.costUsd.toFixed(2)} USD`,
  }[gone]
  const more = moreBudget({ ...task, budget }, gone)
  const word = instruction === null ? '' : ' --instruction TEXT'
  throw new Failure(
    'conflict',
    `Task ${task.id} has used ${used}, all of its budget: give it more, ` +
      `such as \`cofferdam task resume ${task.id}${word} --${more.option} ${more.amount}\`.`,
  )
}
