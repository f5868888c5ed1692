import type { BoxKind } from '../domain/box.ts'
import type { Target } from '../domain/host.ts'

// What a person can do about a refusal. A task keeps the policy that it began with, so all of it is for a new one.

/** How an agent's box gets to reach a target. In quotes where a shell would read brackets as a pattern. */
export function newTaskReaching({ host: { host }, port }: Target): string {
  const named = port === 443 ? host : `${host}:${port}`
  return `start a new task with --egress ${named.includes('[') ? `'${named}'` : named}`
}

/** What follows where no rule of a box names a target. */
export function toReach(target: Target, kind: BoxKind): string {
  return kind === 'setup' ? setupReaches : `To allow it, ${newTaskReaching(target)}.`
}

/** A setup box has the machine's registries and nothing of the policy. They are asked for once in a process. */
const setupReaches =
  "A setup box reaches only what this machine's npm, pip and apt are set to: name it there (`npm config set registry`, " +
  '`pip config set global.index-url`), end a `cofferdam serve` that runs and start it again, then start a new task.'

/** Where there is a limit that a new task may have more of. */
export function raising(limit: 'upMb' | 'downMb' | 'connections'): string {
  return `raise policy.limits.${limit} in cofferdam.yaml and start a new task`
}
