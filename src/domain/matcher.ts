import { type AllowList, compileAllow } from './allow-list.ts'
import type { TreePath } from './brand.ts'
import { denyRule, type LiteralName, literalNames } from './deny-list.ts'
import { foldName, looseName } from './fold.ts'
import { compileList } from './pattern-list.ts'
import type { Policy, Verdict } from './policy.ts'

/** Answers for one policy. Made for one pass over a tree: what it learned about folders stays in memory with it. */
export interface PolicyMatcher {
  /** What the policy says of a path. Total: a path that leads out of the tree, or is absurdly long, is denied. */
  verdict(path: TreePath, folder: boolean): Verdict
  /** Denied names that are no globs, as written in the policy (`.env`, `.git`, ...). */
  literals(): readonly LiteralName[]
}

/** The rule of a path that no allow pattern matches. */
export const notInAllow = 'not in the allow list'

/** Longer than any path that a Linux system call takes. */
const longest = 8192

/** What is known of a path, its ancestors' verdicts included. */
interface Place {
  readonly exact: string
  readonly loose: string
  readonly depth: number
  readonly deny: Verdict | null
  readonly readonly: Verdict | null
  readonly allowed: boolean
  /** Anything deeper may be allowed, so folders here are open to be walked. */
  readonly sweeping: boolean
}

export function compilePolicy(policy: Policy): PolicyMatcher {
  const denied = denyRule(policy)
  const readonly = compileList(policy.readonly)
  const allow = policy.allow.length > 0 ? compileAllow(policy.allow) : null
  const root: Place = {
    exact: '',
    loose: '',
    depth: 0,
    deny: null,
    readonly: null,
    allowed: allow === null,
    sweeping: allow?.anywhere ?? false,
  }
  const folders = new Map<TreePath, Place>([['', root]])

  const inside = (parent: Place, raw: string, folder: boolean): Place => {
    const name = foldName(raw)
    const loose = looseName(name)
    const exact = join(parent.exact, name)
    const loosely = loose === name && parent.loose === parent.exact ? exact : join(parent.loose, loose)
    const first = (rule: (path: string, name: string) => string | null): string | null =>
      rule(exact, name) ?? (loosely === exact ? null : rule(loosely, loose))
    const deny =
      parent.deny ??
      verdictOf(
        'deny',
        first((path, name) => denied(path, name, folder)),
      )
    return {
      exact,
      loose: loosely,
      depth: parent.depth + 1,
      deny,
      readonly:
        parent.readonly ??
        verdictOf(
          'readonly',
          first((path, name) => readonly.match(path, name, folder)),
        ),
      allowed: parent.allowed || allow === null || allow.list.match(exact, name, folder) !== null,
      sweeping:
        parent.sweeping || (folder && allow !== null && allow.below.match(exact, name, true) !== null),
    }
  }

  const folderAt = (path: TreePath): Place => {
    const known = folders.get(path)
    if (known !== undefined) return known
    // Down from the nearest known ancestor; a loop, as a tree may be deeper than the stack.
    let cut = path.lastIndexOf('/')
    while (cut > 0 && !folders.has(path.slice(0, cut))) cut = path.lastIndexOf('/', cut - 1)
    let place = (cut > 0 ? folders.get(path.slice(0, cut)) : undefined) ?? root
    let start = cut + 1
    while (start <= path.length) {
      const slash = path.indexOf('/', start)
      const end = slash === -1 ? path.length : slash
      place = inside(place, path.slice(start, end), true)
      folders.set(path.slice(0, end), place)
      start = end + 1
    }
    return place
  }

  return {
    verdict(given, folder) {
      const path = tidy(given)
      if (path === null) return { kind: 'deny', rule: 'outside the repository', list: 'deny' }
      if (path.length > longest)
        return { kind: 'deny', rule: `longer than ${longest} characters`, list: 'deny' }
      const cut = path.lastIndexOf('/')
      const place =
        folder || path === ''
          ? folderAt(path)
          : inside(cut > 0 ? folderAt(path.slice(0, cut)) : root, path.slice(cut + 1), false)
      const ruled = place.deny ?? place.readonly
      if (ruled !== null) return ruled
      const free = place.allowed || path === '' || (folder && (place.sweeping || leads(allow, place)))
      return free ? { kind: 'none' } : { kind: 'readonly', rule: notInAllow, list: 'allow' }
    },
    literals: () => literalNames(policy.deny),
  }
}

/** The path without empty and `.` parts; null where it leads out of the tree. */
function tidy(path: string): string | null {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path
  const parts = path.split('/')
  if (path.startsWith('/') || parts.includes('..')) return null
  return parts.filter((part) => part !== '' && part !== '.').join('/')
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

function verdictOf(kind: 'deny' | 'readonly', rule: string | null): Verdict | null {
  return rule === null ? null : { kind, rule, list: kind }
}

function leads(allow: AllowList | null, folder: Place): boolean {
  return (allow?.onTheWay.get(folder.depth)?.match(folder.exact, '', true) ?? null) !== null
}
