import type { Millis } from './brand.ts'

/** From weakest to strongest; a policy names the least that it accepts. */
export const postureLevels = ['degraded', 'standard', 'strong'] as const
export type PostureLevel = (typeof postureLevels)[number]

/** What a canary box found of the walls of an engine. */
export interface Posture {
  readonly level: PostureLevel
  /** What is missing for `strong`, in sentences; those that make it `degraded` come first. */
  readonly missing: readonly string[]
  /** The engine, its runtime and the kernel with their versions: `docker 20.10.24, runc 1.1.5, Linux 6.1`. */
  readonly engine: string
  /** What the canary saw: capabilities, seccomp, no-new-privileges, uid, mounts, routes, limits. */
  readonly seen: Readonly<Record<string, string>>
  readonly at: Millis
}

export function isAtLeast(level: PostureLevel, least: PostureLevel): boolean {
  return postureLevels.indexOf(level) >= postureLevels.indexOf(least)
}

/** Why a task does not run on an engine that is less than its policy accepts, with what to do. */
export function shortOf({ engine, level, missing }: Posture, least: PostureLevel): string {
  return (
    `The policy wants an engine that is ${least}, and this one (${engine}) is ${level}: ${missing.join('; ')}. ` +
    `Mend it and resume, or start a new task with policy.posture: ${level} in cofferdam.yaml.`
  )
}
