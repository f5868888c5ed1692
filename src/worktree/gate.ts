import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Violation } from '../domain/policy.ts'
import type { DiffStat } from '../domain/worktree.ts'
import { kindOfMode, submoduleMode } from './entries.ts'
import { parts, textOf, type RawPath } from './raw.ts'

/** A path in which two trees differ. */
export interface Difference {
  readonly path: RawPath
  /** Modes before and after, octal; 000000 where there is nothing. */
  readonly before: string
  readonly after: string
}

/** Arguments of a diff that runs nothing and follows no renames. */
export const diffTreeArgs = [
  'diff-tree',
  '-r',
  '-z',
  '--no-renames',
  '--no-textconv',
  '--no-ext-diff',
] as const

/** The output of `diff-tree -r -z --raw --numstat --no-renames`. */
export function parseDifferences(out: Buffer): { differences: readonly Difference[]; stat: DiffStat } {
  const differences: Difference[] = []
  let insertions = 0
  let deletions = 0
  const records = parts(out)
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? ''
    const raw = /^:(\d+) (\d+) /.exec(record)
    if (raw !== null) {
      index += 1
      differences.push({ before: raw[1] ?? '', after: raw[2] ?? '', path: records[index] ?? ('' as RawPath) })
      continue
    }
    // `-` instead of numbers where a side is binary.
    const counts = /^(\d+)\t(\d+)\t/.exec(record)
    insertions += Number(counts?.[1] ?? 0)
    deletions += Number(counts?.[2] ?? 0)
  }
  return { differences, stat: { files: differences.length, insertions, deletions } }
}

/** The gate on git objects: a layer of its own, that knows nothing of what was seen on disk. */
export function refusals(differences: readonly Difference[], matcher: PolicyMatcher): readonly Violation[] {
  return differences.flatMap(({ path: raw, before, after }) => {
    const path = textOf(raw)
    const verdict = matcher.verdict(path, after === submoduleMode)
    if (verdict.kind === 'none') return []
    const what = before === '000000' ? 'created' : 'changed'
    return [{ path, rule: verdict.rule, kind: verdict.kind, what, found: kindOfMode(after) }]
  })
}
