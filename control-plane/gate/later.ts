import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'
import { largerBudget } from '../../src/domain/risk/budget.ts'
import { risksInText } from '../../src/domain/risk/said.ts'
import type { Budget, RiskReason, Task } from '../../src/domain/task.ts'
import { authorOf } from './author.ts'

/** What is asked of a task after its submission; null where nothing is. */
interface Asked {
  readonly text: string | null
  readonly budget: Budget | null
  /** It lets setup run again, on manifests that the agent has changed. */
  readonly setsUp?: boolean
  /** It was stopped as a draft, and would run without anybody's approval. */
  readonly undecided?: boolean
}

/**
 * Reads what is asked of a task that runs or will by the rules of its submission. Asking for it is the recorded approval
 * of one who may approve; anybody else is refused, with every reason: `Failure('not_allowed')`.
 * @param configured the budget that runs unasked
 */
export function readLater(
  task: Task,
  { text, budget, setsUp = false, undecided = false }: Asked,
  caller: Caller,
  configured: Budget = task.budget,
): readonly RiskReason[] {
  const risks = [
    ...(undecided
      ? [{ rule: 'approval', text: 'It was stopped before anybody approved it.' }, ...task.risks]
      : []),
    ...(text === null ? [] : risksInText(text, task.instruction)),
    ...(budget === null ? [] : largerBudget(budget, task.budget, configured)),
    ...(setsUp
      ? [{ rule: 'setup', text: 'Setup would run again, on what the agent has changed of its manifests.' }]
      : []),
  ]
  if (risks.length > 0 && authorOf(caller) !== 'owner') {
    const reasons = risks.map((risk) => risk.text).join(' ')
    throw new Failure(
      'not_allowed',
      `${reasons} Ask somebody who may approve to do it${setsUp || undecided ? '' : ', or leave that out'}.`,
    )
  }
  return risks
}
