import { tunnelRule } from '../host-rule.ts'
import { compilePolicy } from '../matcher.ts'
import type { Policy } from '../policy.ts'
import { isAtLeast } from '../posture.ts'
import type { RiskRule } from './rule.ts'

/** A policy that can be enforced as its author thinks, and that is no weaker than the configured one. */
export const policyRules: readonly RiskRule[] = [
  { id: 'allow', explain: ({ policy }) => deniedAllows(policy) },
  { id: 'egress', explain: ({ policy, configured }) => widerEgress(policy, configured.policy) },
  { id: 'policy', explain: ({ policy, configured }) => weakened(policy, configured.policy) },
]

/** Deny wins over allow, so such a pattern does not do what its author thinks. */
function deniedAllows(policy: Policy): readonly string[] {
  if (policy.allow.length === 0) return []
  const matcher = compilePolicy({ ...policy, allow: [] })
  return policy.allow.flatMap((pattern) => {
    const path = pattern.replaceAll(/^\/|\/(?:\*\*)?$/g, '')
    const verdict = matcher.verdict(path, pattern.endsWith('/'))
    return verdict.kind === 'deny'
      ? [`The policy allows "${pattern}", which its rule "${verdict.rule}" denies.`]
      : []
  })
}

/** What a task may reach that tasks on this repository do not. */
function widerEgress(policy: Policy, configured: Policy): readonly string[] {
  const known = configured.egress.map((text) => tunnelRule(text, ''))
  const hosts = policy.egress.filter((text) => {
    const { host, ports } = tunnelRule(text, '')
    return !known.some((rule) => rule.ports[0] === ports[0] && isWithin(host, rule.host))
  })
  const models = policy.upstreams.filter((name) => !configured.upstreams.includes(name))
  return [
    ...hosts.map((host) => `The policy lets the agent reach ${host}, which the configured one does not.`),
    ...models.map(
      (name) => `The policy lets the agent use the upstream ${name}, which the configured one does not.`,
    ),
  ]
}

/** Whether a host (or all that `*.name` means) is one of those that the second means. */
function isWithin(host: string, other: string): boolean {
  return host === other || (other.startsWith('*.') && host.endsWith(other.slice(1)))
}

/** Whether an allow pattern lets more be written than a policy does; a path without wildcards may lie in what it allows. */
function opensMore(policy: Policy): (pattern: string) => boolean {
  const matcher = compilePolicy(policy)
  return (pattern) => {
    const plain = pattern.includes('/') && !/[*?[\]\\]|\/$/.test(pattern)
    return !plain || matcher.verdict(pattern.replace(/^\//, ''), false).kind !== 'none'
  }
}

/** What a task's policy takes away from the configured one. */
function weakened(policy: Policy, configured: Policy): readonly string[] {
  const missing = (mine: readonly string[], theirs: readonly string[]): readonly string[] =>
    theirs.filter((pattern) => !mine.includes(pattern))
  const opened = missing([...policy.readonly, ...policy.deny], configured.readonly)
  const shown = missing(policy.deny, configured.deny)
  const excepted = missing(configured.except, policy.except)
  const widened =
    configured.allow.length === 0 ? [] : missing(configured.allow, policy.allow).filter(opensMore(configured))
  const raised = limitNames.filter((name) => policy.limits[name] > configured.limits[name])
  return [
    ...(isAtLeast(policy.posture, configured.posture)
      ? []
      : [
          `The policy accepts an engine that is ${policy.posture}, where the configured one wants ${configured.posture}.`,
        ]),
    ...opened.map(
      (pattern) => `The policy lets the agent change "${pattern}", which is readonly in the configured one.`,
    ),
    ...shown.map((pattern) => `The policy does not deny "${pattern}", which the configured one denies.`),
    ...excepted.map((name) => `The policy excepts "${name}" from what is denied.`),
    ...raised.map(
      (name) =>
        `The limit ${name} of ${policy.limits[name]} is above the configured ${configured.limits[name]}.`,
    ),
    ...(policy.limits.diskFreeMb < configured.limits.diskFreeMb
      ? [
          `The limit diskFreeMb of ${policy.limits.diskFreeMb} is below the configured ${configured.limits.diskFreeMb}.`,
        ]
      : []),
    ...(policy.onViolation === 'retry' && configured.onViolation === 'fail'
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
