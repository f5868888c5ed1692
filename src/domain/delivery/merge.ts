import type { CommitId, Millis } from '../brand.ts'
import type { AcceptRule } from '../marks/mark.ts'
import type { DeliveryWay, PullSettings } from './pull.ts'
import type { Refusal } from './refusal.ts'

/**
 * How a task's work gets into a branch: a commit of two parents, the branch moved to the task's own last commit (only
 * where it has not gone on since), or one commit with all of it.
 */
export const mergeWays = ['merge', 'fast-forward', 'squash'] as const
export type MergeWay = (typeof mergeWays)[number]

/** A delivery of a task's work into a branch of its repository: what was decided, and how far it has come. */
export interface Merge {
  /** The branch, without `refs/heads/`. */
  readonly into: string
  readonly how: MergeWay
  /** What was accepted with it. */
  readonly accepted: readonly AcceptRule[]
  /** When it was decided; the date of the commit too, so that a repeat makes the same one. */
  readonly at: Millis
  /** How often it had to begin again: the branch had moved, or a box was lost. */
  readonly tries: number
  /** Where the branch was when `commit` was made; null before. */
  readonly from: CommitId | null
  /** What the branch is moved to. */
  readonly commit: CommitId | null
  /** How it ended, in a sentence; null while it is under way. */
  readonly said: string | null
  /** Why it came to nothing; null where it did not, and once something else was decided. */
  readonly refusal: Refusal | null
}

/** What the operator configured for deliveries of a repository; absent fields are not configured. */
export interface DeliveryDefaults {
  /** What is offered of the two; `merge` where it is not said. */
  readonly way?: DeliveryWay
  readonly into?: string
  readonly how?: MergeWay
  /** Where pull requests are opened. */
  readonly pull?: PullSettings
}

/** After so many beginnings a delivery is given up: a branch that moves all the time needs a person. */
export const mostTries = 5

/** Of the name of a branch, and so of what a task begins from, for it is merged there: UTF-16 code units. */
export const longestBranch = 200
export const tooLongBranch = `is longer than ${longestBranch} characters: name a branch with a shorter name`

/**
 * The name of a branch, as git has it (`git check-ref-format`), but for its length: one expression, so that a JSON Schema can
 * say it. Without control characters, and without what means something to git or in a pattern.
 */
export const branchPattern =
  /^(?!-|\/|\.|@$|HEAD$)(?![\s\S]*(?:\.\.|@\{|\/\/|\/\.|\.lock\/|\.lock$))[^\0- \x7f~^:?*[\\]*[^\0- \x7f~^:?*[\\./]$/

/** Why a text is no name of a branch; null where it is one. */
export function branchProblem(name: string): string | null {
  if (name.length > longestBranch) return `The name of the branch ${tooLongBranch}.`
  return branchPattern.test(name) ? null : `${JSON.stringify(name)} is no name of a branch.`
}

/** Whether a branch is, or may be, one of those that tasks have. */
export function isTaskBranch(name: string): boolean {
  return /^cofferdam[/-]/.test(name)
}
