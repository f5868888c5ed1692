import type { RiskReason } from '../task.ts'
import { authorRules } from './authors.ts'
import { budgetRules } from './budget.ts'
import { policyRules } from './policy.ts'
import type { RiskInput, RiskRule } from './rule.ts'
import { risksInTask } from './said.ts'

const rules: readonly RiskRule[] = [...budgetRules, ...authorRules, ...policyRules]

/** Every reason why a task wants a person; none means that it may run by itself. */
export function assessRisk(input: RiskInput): readonly RiskReason[] {
  return [
    ...risksInTask(input),
    ...rules.flatMap(({ id, explain }) => explain(input).map((text) => ({ rule: id, text }))),
  ]
}

/** Those of `more` that are not known yet. */
export function furtherRisks(
  known: readonly RiskReason[],
  more: readonly RiskReason[],
): readonly RiskReason[] {
  return more.filter(({ rule, text }) => !known.some((risk) => risk.rule === rule && risk.text === text))
}
