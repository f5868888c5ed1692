import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Violation } from '../domain/policy.ts'
import type { DiffStat } from '../domain/worktree.ts'
import { folderMode, kindOfMode, submoduleMode } from './entries.ts'
import { parts, textOf, type RawPath } from './raw.ts'

/** A path in which two trees differ. */
export interface Difference {
  readonly path: RawPath
  /** Modes before and after, octal; 000000 where there is nothing. */
  readonly before: string
  readonly after: string
  /** The objects before and after; zeros where there is nothing. */
  readonly idBefore: string
  readonly id: string
}

const nothing = '000000'

/** Arguments of a diff that runs nothing and follows no renames. */
export const diffTreeArgs = [
  'diff-tree',
  '-r',
  '-t',
  '-z',
  '--no-renames',
  '--no-textconv',
  '--no-ext-diff',
  '--raw',
  '--numstat',
] as const

export interface Differences {
  readonly differences: readonly Difference[]
  readonly stat: DiffStat
  /** The ids of what the second tree holds in place of what the first does: blobs and the trees above them. */
  readonly fresh: readonly string[]
  /** The trees among those, but for the topmost one. */
  readonly trees: readonly Tree[]
}

/** The id of a tree and the path of its folder. */
export interface Tree {
  readonly id: string
  readonly path: RawPath
}

/** The output of git with these arguments. */
export function parseDifferences(out: Buffer): Differences {
  const differences: Difference[] = []
  const fresh: string[] = []
  const trees: Tree[] = []
  let insertions = 0
  let deletions = 0
  const records = parts(out)
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? ''
    const raw = /^:(\d+) (\d+) (\w+) (\w+) /.exec(record)
    if (raw !== null) {
      const [, before = '', after = '', idBefore = '', id = ''] = raw
      index += 1
      const path = records[index] ?? ('' as RawPath)
      if (after !== nothing && after !== submoduleMode) fresh.push(id)
      if (after === folderMode) trees.push({ id, path })
      // Where a file gives way to a folder, or the other way round, git names both sides on their own.
      if (before !== folderMode && after !== folderMode)
        differences.push({ before, after, idBefore, id, path })
      continue
    }
    // `-` instead of numbers where a side is binary.
    const counts = /^(\d+)\t(\d+)\t/.exec(record)
    insertions += Number(counts?.[1] ?? 0)
    deletions += Number(counts?.[2] ?? 0)
  }
  return { differences, stat: { files: differences.length, insertions, deletions }, fresh, trees }
}

/** The gate on git objects: a layer of its own, that knows nothing of what was seen on disk. */
export function refusals(differences: readonly Difference[], matcher: PolicyMatcher): readonly Violation[] {
  return differences.flatMap(({ path: raw, before, after }) => {
    const path = textOf(raw)
    const verdict = matcher.verdict(path, after === submoduleMode)
    if (verdict.kind === 'none') return []
    const what = before === nothing ? 'created' : 'changed'
    return [{ path, rule: verdict.rule, kind: verdict.kind, what, found: kindOfMode(after) }]
  })
}
