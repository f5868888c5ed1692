import { left, moreBudget, usedUp } from '../../src/domain/budget.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Budget, Task } from '../../src/domain/task.ts'
import { counted } from '../../src/domain/text.ts'
import { possibleActs } from '../../src/domain/transition/apply.ts'
import type { Tasks } from '../tasks.ts'

/** Throws a `conflict` where a suggestion has no place: on a task that is neither a DRAFT nor to be resumed. */
export function refuseSuggestion(tasks: Pick<Tasks, 'possibleNow'>, task: Task): void {
  const acts = possibleActs(task)
  if (acts.includes('resume')) return
  const more = acts.includes('steer') ? ' What you steer with is in the next prompt.' : askMore(task)
  throw new Failure(
    'conflict',
    `Task ${task.id} is ${task.status}: suggest is for a DRAFT or a halted task. ${tasks.possibleNow(task)}${more}`,
  )
}

function askMore({ id, kind, status, delivery }: Task): string {
  if (kind !== 'question' || status !== 'APPLIED' || delivery === 'discarded') return ''
  return ` It is answered: \`cofferdam ask --follow-up ${id} QUESTION\` asks more.`
}

/** Throws a `conflict` where a resume would find its budget used up, or as short as it was when the task was halted for it. */
export function refuseSpent(task: Task, budget: Budget, instruction: string | null): void {
  // What is validated only has to be handed over, which costs neither a step nor time.
  const handover = task.outcome !== null && instruction === null
  const spent = usedUp(left({ ...task, budget }))
  const gone = spent ?? stillShort(task, budget)
  if (handover || gone === null) return
  const used = {
    steps: counted(task.spent.steps, 'step'),
    time: counted(Math.ceil(task.spent.ms / 60_000), 'minute'),
    tokens: counted(task.spent.tokens, 'token'),
    cost: `${task.spent.costUsd.toFixed(2)} USD`,
  }[gone]
  const more = moreBudget({ ...task, budget }, gone)
  const word = instruction === null ? '' : ' --instruction TEXT'
  const why =
    spent === null ? 'and what is left of its budget does not cover another call' : 'all of its budget'
  throw new Failure(
    'conflict',
    `Task ${task.id} has used ${used}, ${why}: give it more, ` +
      `such as \`cofferdam task resume ${task.id}${word} --${more.option} ${more.amount}\`.`,
  )
}

/** The budget of models that did not cover another call, where this one has no more of it. */
function stillShort({ halt, budget: before }: Task, after: Budget): 'tokens' | 'cost' | null {
  const raised = (was: number | null, now: number | null): boolean =>
    was === null || now === null || now > was
  if (halt?.reason === 'tokens') return raised(before.tokens, after.tokens) ? null : 'tokens'
  if (halt?.reason === 'cost') return raised(before.costUsd, after.costUsd) ? null : 'cost'
  return null
}
