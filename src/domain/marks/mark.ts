import type { TreePath } from '../brand.ts'
import { jsonText } from '../text.ts'

/** What of a finished task's work wants an owner's word before it is delivered. */
export const markRules = [
  'ci',
  'hooks',
  'scripts',
  'lockfile',
  'registry',
  'container',
  'migration',
  'instructions',
  'tests',
  'unread',
] as const
export type MarkRule = (typeof markRules)[number]

/**
 * What an owner can accept with a delivery: what the work is marked with, and that others' commits go with it. Those are
 * only found when it is delivered, so that no button, which shows the marks, accepts them.
 */
export const acceptRules = [...markRules, 'foreign'] as const
export type AcceptRule = (typeof acceptRules)[number]

/** One reason why delivering takes an owner's decision. */
export interface Mark {
  readonly rule: MarkRule
  /** The path that it is about; `.` is the whole of the work. */
  readonly path: TreePath
  /** A sentence that names the path. */
  readonly text: string
}

/** A path that the work changes, against the task's base. */
export interface Change {
  readonly path: TreePath
  /** Where its content came from, for one that was moved; else the same path. */
  readonly from: TreePath
  readonly what: 'added' | 'changed' | 'deleted'
  /** Its content; null where there is none, or where it is no file. */
  readonly before: string | null
  readonly after: string | null
  /** Its content was wanted and is too large, or was too much of all, to be read. */
  readonly unread?: boolean
}

/** Of one rule so many paths are named, and how many more there are. */
const mostPaths = 100

/** In the order of the rules and the paths. */
export function sortedMarks(marks: readonly Mark[]): readonly Mark[] {
  return markRules.flatMap((rule) => {
    const mine = marks.filter((mark) => mark.rule === rule)
    if (mine.length <= mostPaths) return mine
    const more = mine.length - mostPaths
    return [
      ...mine.slice(0, mostPaths),
      { rule, path: '.', text: `${more} more paths are like these: look at the diff.` },
    ]
  })
}

/** A path in a sentence. */
export function named(path: TreePath): string {
  return jsonText(path.length <= 200 ? path : `${path.slice(0, 197)}...`)
}
