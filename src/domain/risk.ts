import { defaultBudget } from './budget.ts'
import { compilePolicy } from './matcher.ts'
import type { Policy } from './policy.ts'
import { isAtLeast } from './posture.ts'
import { wordRules } from './risk-words.ts'
import type { Budget, RiskReason } from './task.ts'
import { timeOf } from './text.ts'

/** Who wrote a command: the configuration, somebody who may approve, or anybody else. */
type Author = 'config' | 'owner' | 'other'

/** A task as the gate sees it: complete, before it is queued. */
interface RiskInput {
  readonly goal: string
  readonly setup: string | null
  readonly setupBy: Author
  readonly test: string | null
  readonly testBy: Author
  readonly budget: Budget
  /** The configured caps on tokens and cost. */
  readonly spending: Pick<Budget, 'tokens' | 'costUsd'>
  readonly policy: Policy
  /** The configured policy: what this task's may be stricter than, but not weaker. */
  readonly defaults: Policy
}

/** One reason to ask a person: what it looks for, and a sentence per finding. */
interface RiskRule {
  readonly id: string
  readonly explain: (input: RiskInput) => readonly string[]
}

const rules: readonly RiskRule[] = [
  ...wordRules.map(({ id }): RiskRule => ({
    id,
    explain: ({ goal, test, setup, setupBy }) => [
      ...said(id, 'The goal', goal),
      ...said(id, 'The test command', test),
      // Installing is what setup is for; that it is not the configured one is a reason of its own.
      ...(id === 'install' || setupBy === 'config' ? [] : said(id, 'The setup command', setup)),
    ],
  })),
  { id: 'steps', explain: ({ budget }) => manySteps(budget, defaultBudget) },
  { id: 'time', explain: ({ budget }) => muchTime(budget, defaultBudget) },
  { id: 'spending', explain: ({ budget, spending }) => muchSpending(budget, spending) },
  {
    id: 'setup',
    explain: ({ setup, setupBy }) =>
      setup !== null && setupBy !== 'config'
        ? ['The setup command is not the configured one, and setup reaches the package registries.']
        : [],
  },
  {
    id: 'test',
    explain: ({ test, testBy }) =>
      test !== null && testBy === 'other'
        ? ['The test command is not the configured one, and nobody who may approve wrote it.']
        : [],
  },
  { id: 'allow', explain: ({ policy }) => deniedAllows(policy) },
  { id: 'policy', explain: ({ policy, defaults }) => weakened(policy, defaults) },
]

/** Every reason why a task wants a person; none means that it may run by itself. */
export function assessRisk(input: RiskInput): readonly RiskReason[] {
  return rules.flatMap(({ id, explain }) => explain(input).map((text) => ({ rule: id, text })))
}

/** The same reading for a later text: what is said at resume, suggest or steer. */
export function assessText(text: string): readonly RiskReason[] {
  return wordRules.flatMap(({ id }) =>
    said(id, 'The text', text).map((sentence) => ({ rule: id, text: sentence })),
  )
}

/** The same reading for a budget that a resume makes larger; what was granted before is no new reason. */
export function assessBudget(budget: Budget, before: Budget): readonly RiskReason[] {
  const granted = {
    ...before,
    steps: Math.max(defaultBudget.steps, before.steps),
    seconds: Math.max(defaultBudget.seconds, before.seconds),
  }
  return [
    ...manySteps(budget, granted).map((text) => ({ rule: 'steps', text })),
    ...muchTime(budget, granted).map((text) => ({ rule: 'time', text })),
    ...muchSpending(budget, before).map((text) => ({ rule: 'spending', text })),
  ]
}

/** Those of `more` that are not known yet. */
export function furtherRisks(
  known: readonly RiskReason[],
  more: readonly RiskReason[],
): readonly RiskReason[] {
  return more.filter(({ rule, text }) => !known.some((risk) => risk.rule === rule && risk.text === text))
}

function manySteps({ steps }: Budget, most: Budget): readonly string[] {
  return steps > most.steps
    ? [`${steps} steps are more than the ${defaultBudget.steps} that run unasked.`]
    : []
}

function muchTime(budget: Budget, most: Budget): readonly string[] {
  return budget.seconds > most.seconds
    ? [`${timeOf(budget.seconds)} are more than the ${defaultBudget.seconds / 60} that run unasked.`]
    : []
}

/** Only a cap that is set can be exceeded; to take one away exceeds it too. */
function muchSpending(budget: Budget, most: Pick<Budget, 'tokens' | 'costUsd'>): readonly string[] {
  const above = (wanted: number | null, cap: number | null): boolean =>
    cap !== null && (wanted === null || wanted > cap)
  return [
    ...(above(budget.tokens, most.tokens)
      ? [`${budget.tokens ?? 'Unlimited'} tokens are more than the ${most.tokens} that run unasked.`]
      : []),
    ...(above(budget.costUsd, most.costUsd)
      ? [`A cost of ${budget.costUsd ?? 'any'} USD is more than the ${most.costUsd} that run unasked.`]
      : []),
  ]
}

function said(id: string, what: string, text: string | null): readonly string[] {
  if (text === null) return []
  const line = oneLine(text)
  const rule = wordRules.find((candidate) => candidate.id === id)
  const found = rule?.patterns.map((pattern) => pattern.exec(line)?.[0]).find((match) => match !== undefined)
  return rule === undefined || found === undefined
    ? []
    : [`${what} says "${found.trim().slice(0, 80)}": ${rule.why}.`]
}

/** Lower case, plain forms of letters, no markdown, every gap one space: so that spelling is no way round a rule. */
function oneLine(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\u00ad\u200b-\u200f\u2060\ufeff]/g, '')
    .replaceAll(/[`*]/g, '')
    .replaceAll(/\s+/g, ' ')
}

/** Deny wins over allow, so such a pattern does not do what its author thinks. */
function deniedAllows(policy: Policy): readonly string[] {
  const matcher = compilePolicy({ ...policy, allow: [] })
  return policy.allow.flatMap((pattern) => {
    const path = pattern.replaceAll(/^\/|\/(?:\*\*)?$/g, '')
    const verdict = matcher.verdict(path, pattern.endsWith('/'))
    return verdict.kind === 'deny'
      ? [`The policy allows "${pattern}", which its rule "${verdict.rule}" denies.`]
      : []
  })
}

/** What a task's policy takes away from the configured one. */
function weakened(policy: Policy, defaults: Policy): readonly string[] {
  const missing = (mine: readonly string[], theirs: readonly string[]): readonly string[] =>
    theirs.filter((pattern) => !mine.includes(pattern))
  const opened = missing([...policy.readonly, ...policy.deny], defaults.readonly)
  const shown = missing(policy.deny, defaults.deny)
  const excepted = missing(defaults.except, policy.except)
  const widened = defaults.allow.length === 0 ? [] : missing(defaults.allow, policy.allow)
  const raised = limitNames.filter((name) => policy.limits[name] > defaults.limits[name])
  const granted = missing(defaults.egress, policy.egress)
  const models = missing(defaults.upstreams, policy.upstreams)
  const softer = !isAtLeast(policy.posture, defaults.posture)
  return [
    ...granted.map((host) => `The policy lets the agent reach ${host}, which the configured one does not.`),
    ...models.map(
      (name) => `The policy lets the agent use the upstream ${name}, which the configured one does not.`,
    ),
    ...(softer
      ? [
          `The policy accepts an engine that is ${policy.posture}, where the configured one wants ${defaults.posture}.`,
        ]
      : []),
    ...opened.map(
      (pattern) => `The policy lets the agent change "${pattern}", which is readonly by default.`,
    ),
    ...shown.map((pattern) => `The policy does not deny "${pattern}", which is denied by default.`),
    ...excepted.map((name) => `The policy excepts "${name}" from what is denied.`),
    ...raised.map(
      (name) =>
        `The limit ${name} of ${policy.limits[name]} is above the configured ${defaults.limits[name]}.`,
    ),
    ...(policy.limits.diskFreeMb < defaults.limits.diskFreeMb
      ? [
          `The limit diskFreeMb of ${policy.limits.diskFreeMb} is below the configured ${defaults.limits.diskFreeMb}.`,
        ]
      : []),
    ...(policy.onViolation === 'retry' && defaults.onViolation === 'fail'
      ? ['The policy gives the agent another try after a violation, where the configured one fails the task.']
      : []),
    ...widened.map((pattern) => `The policy allows "${pattern}", which the configured allow list does not.`),
  ]
}

/** Those where more is weaker. */
const limitNames = [
  'memoryMb',
  'cpus',
  'pids',
  'openFiles',
  'fileMb',
  'tmpMb',
  'outputMb',
  'worktreeMb',
  'worktreeFiles',
  'upMb',
  'downMb',
  'connections',
  'testSeconds',
  'setupSeconds',
] as const
