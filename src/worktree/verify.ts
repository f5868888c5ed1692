import type { TreePath } from '../domain/brand.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Violation } from '../domain/policy.ts'
import { bare, isFolder } from './examine.ts'
import { kindOfMode } from './entries.ts'
import { textOf, type RawPath } from './raw.ts'
import type { Examined, Found } from './seen.ts'

// More than a person or an agent would read; what was changed comes first and is never cut for what was created.
const most = 200

/**
 * What of the examined tree the policy forbids; of a new folder, the folder alone. Unchanged tracked paths are never looked at: the tree they belong to
 * passed the same judgement, and denied ones are in no checkout.
 */
export function violationsOf(
  seen: Examined,
  matcher: PolicyMatcher,
  found: (path: RawPath) => Found,
): readonly Violation[] {
  const all = new Map<TreePath, Violation>()
  const judge = (raw: RawPath, what: 'created' | 'changed', is: () => string): void => {
    const path = textOf(raw)
    const now = is()
    const verdict = matcher.verdict(path, now === 'folder' || now === 'repository')
    if (verdict.kind === 'none' || all.has(path)) return
    all.set(path, { path, rule: verdict.rule, kind: verdict.kind, what, found: now })
  }
  const special = new Map(seen.disk.specials.map((place) => [place.path, place.found]))
  const tracked = new Set(seen.changed.map(({ path }) => path))
  for (const { path, mode } of seen.changed)
    judge(path, 'changed', () => special.get(path) ?? kindOfMode(mode))
  for (const path of [...seen.untracked, ...seen.ignored.filter((path) => !isFolder(path))])
    judge(path, 'created', () => found(path))
  for (const place of seen.inside) judge(place.path, 'created', () => place.found)
  for (const path of seen.nested) judge(bare(path), 'created', () => 'folder')
  const emptied = foldersOf(seen.changed.map(({ path }) => path))
  for (const path of seen.disk.hollow) if (!emptied.has(path)) judge(path, 'created', () => 'folder')
  for (const { path, found } of seen.disk.specials)
    if (!tracked.has(path)) judge(path, 'created', () => found)
  for (const { path, found } of seen.disk.gits) {
    const is = found === 'folder' ? 'repository' : found
    all.set(textOf(path), { ...gitRule(matcher, textOf(path)), what: 'created', found: is })
  }
  if (seen.pointer !== null)
    all.set('.git', { ...gitRule(matcher, '.git'), what: 'mask', found: seen.pointer })
  const whole = new Set([...all.values()].filter(isNewFolder).map(({ path }) => path))
  return [...all.values()]
    .filter(({ path, what }) => what !== 'created' || !liesIn(whole, path))
    .sort(byWeight)
    .slice(0, most)
}

/** All folders above paths. */
function foldersOf(paths: readonly RawPath[]): ReadonlySet<string> {
  const folders = new Set<string>()
  for (const path of paths)
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
      folders.add(path.slice(0, slash))
  return folders
}

function isNewFolder({ what, found }: Violation): boolean {
  return what === 'created' && (found === 'folder' || found === 'repository')
}

function liesIn(folders: ReadonlySet<TreePath>, path: TreePath): boolean {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
    if (folders.has(path.slice(0, slash))) return true
  return false
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
