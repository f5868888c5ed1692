import type { Limits, Policy } from './policy.ts'
import { isAtLeast } from './posture.ts'
import type { Budget } from './task.ts'

/** The policy that lets through only what both do. */
export function narrowerPolicy(one: Policy, other: Policy): Policy {
  return {
    allow: allowedByBoth(one.allow, other.allow),
    readonly: either(one.readonly, other.readonly),
    deny: either(one.deny, other.deny),
    except: both(one.except, other.except),
    onViolation: one.onViolation === 'fail' ? 'fail' : other.onViolation,
    egress: both(one.egress, other.egress),
    upstreams: both(one.upstreams, other.upstreams),
    posture: isAtLeast(one.posture, other.posture) ? one.posture : other.posture,
    limits: lower(one.limits, other.limits),
  }
}

/** Of each part of two budgets the smaller one; null is no cap. */
export function narrowerBudget(one: Budget, other: Budget): Budget {
  return {
    steps: Math.min(one.steps, other.steps),
    seconds: Math.min(one.seconds, other.seconds),
    tokens: lowerCap(one.tokens, other.tokens),
    costUsd: lowerCap(one.costUsd, other.costUsd),
  }
}

/** Without a list everything may be written. Two lists with nothing in common leave the second: none would allow all. */
function allowedByBoth(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length === 0) return other
  if (other.length === 0) return one
  const common = both(one, other)
  return common.length > 0 ? common : other
}

const either = (one: readonly string[], other: readonly string[]): readonly string[] => [
  ...new Set([...one, ...other]),
]

const both = (one: readonly string[], other: readonly string[]): readonly string[] =>
  one.filter((item) => other.includes(item))

function lower(one: Limits, other: Limits): Limits {
  return {
    memoryMb: Math.min(one.memoryMb, other.memoryMb),
    cpus: Math.min(one.cpus, other.cpus),
    pids: Math.min(one.pids, other.pids),
    openFiles: Math.min(one.openFiles, other.openFiles),
    fileMb: Math.min(one.fileMb, other.fileMb),
    tmpMb: Math.min(one.tmpMb, other.tmpMb),
    outputMb: Math.min(one.outputMb, other.outputMb),
    worktreeMb: Math.min(one.worktreeMb, other.worktreeMb),
    worktreeFiles: Math.min(one.worktreeFiles, other.worktreeFiles),
    upMb: Math.min(one.upMb, other.upMb),
    downMb: Math.min(one.downMb, other.downMb),
    connections: Math.min(one.connections, other.connections),
    // What has to stay free: more is less for the box.
    diskFreeMb: Math.max(one.diskFreeMb, other.diskFreeMb),
    testSeconds: Math.min(one.testSeconds, other.testSeconds),
    setupSeconds: Math.min(one.setupSeconds, other.setupSeconds),
  }
}

const lowerCap = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other)
