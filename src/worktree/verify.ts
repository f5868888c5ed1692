import type { TreePath } from '../domain/brand.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Violation } from '../domain/policy.ts'
import { kindOfMode } from './entries.ts'
import { foldersOf, insideOf } from './ignored.ts'
import { textOf, type RawPath } from './raw.ts'
import type { Examined } from './seen.ts'

// More than a person or an agent would read; what was changed comes first and is never cut for what was created.
const most = 200

/**
 * What of the examined tree the policy forbids; of a new folder, the folder alone. Unchanged tracked paths are never looked at: the tree they belong to
 * passed the same judgement, and denied ones are in no checkout.
 */
export function violationsOf(seen: Examined, matcher: PolicyMatcher): readonly Violation[] {
  const all = new Map<TreePath, Violation>()
  const judge = (raw: RawPath, what: 'created' | 'changed', found: string): void => {
    const path = textOf(raw)
    const verdict = matcher.verdict(path, found === 'folder')
    if (verdict.kind === 'none' || all.has(path)) return
    all.set(path, { path, rule: verdict.rule, kind: verdict.kind, what, found })
  }
  const { specials, hollow, gits, long } = seen.disk
  const special = new Map(specials.map(({ path, found }) => [path, found]))
  for (const { path, mode } of seen.changed) judge(path, 'changed', special.get(path) ?? kindOfMode(mode))
  for (const { path, tracked } of long) judge(path, tracked ? 'changed' : 'created', 'file')
  const emptied = foldersOf(seen.changed.map(({ path }) => path))
  for (const path of hollow) if (!emptied.has(path)) judge(path, 'created', 'folder')
  for (const { path, found } of [...seen.untracked, ...specials]) judge(path, 'created', found)
  for (const { path, found } of gits) {
    const is = found === 'folder' ? 'repository' : found
    all.set(textOf(path), { ...gitRule(matcher, textOf(path)), what: 'created', found: is })
  }
  if (seen.pointer !== null)
    all.set('.git', { ...gitRule(matcher, '.git'), what: 'mask', found: seen.pointer })
  const inNew = insideOf(new Set([...all.values()].filter(isNewFolder).map(({ path }) => path)))
  return [...all.values()]
    .filter(({ path, what }) => what !== 'created' || !inNew(path))
    .sort(byWeight)
    .slice(0, most)
}

function isNewFolder({ what, found }: Violation): boolean {
  return what === 'created' && (found === 'folder' || found === 'repository')
}

/** Git's own names are denied whatever a policy says. */
function gitRule(matcher: PolicyMatcher, path: TreePath): Pick<Violation, 'path' | 'rule' | 'kind'> {
  const verdict = matcher.verdict(path, true)
  return { path, kind: 'deny', rule: verdict.kind === 'deny' ? verdict.rule : '.git' }
}

function byWeight(one: Violation, other: Violation): number {
  const weight = (violation: Violation): number => (violation.what === 'created' ? 1 : 0)
  return weight(one) - weight(other) || (one.path < other.path ? -1 : 1)
}
