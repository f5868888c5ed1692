import { isOpenFolder } from '../domain/listing.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import { submoduleMode, type Entry } from './entries.ts'
import { rawFrom, textOf, type RawPath } from './raw.ts'

/**
 * Where boxes would need mounts that no engine makes: it takes paths as text, and these are no UTF-8. Paths as they are in
 * git, topmost only. `limited`: the policy has an allow list, so all but its places is readonly by one mount.
 */
export function unmountable(
  entries: readonly Entry[],
  matcher: PolicyMatcher,
  limited: boolean,
): readonly RawPath[] {
  const odd = entries.filter(({ path }) => !isText(path))
  const mounts = odd.flatMap((entry) => mountFor(entry, matcher, limited) ?? [])
  return [...new Set(mounts.filter((path) => !isText(path)))].sort()
}

/** The topmost place that needs a mount of its own, at or above an entry of the tree; null where none does. */
function mountFor({ path, mode }: Entry, matcher: PolicyMatcher, limited: boolean): RawPath | null {
  const names = path.split('/')
  let writable = !limited || isOpenFolder(matcher, textOf('' as RawPath))
  for (const index of names.keys()) {
    const place = names.slice(0, index + 1).join('/') as RawPath
    const last = index === names.length - 1
    const folder = !last || mode === submoduleMode
    const { kind } = matcher.verdict(textOf(place), folder)
    // A symlink cannot be mounted, and is guarded by the verifier; a denied one is not on disk.
    const symlink = last && mode === '120000'
    if (kind !== 'none') return writable && !(symlink && kind === 'readonly') ? place : null
    if (writable) continue
    writable = folder && isOpenFolder(matcher, textOf(place))
    if ((writable || last) && !symlink && !isText(place)) return place
  }
  return null
}

function isText(path: RawPath): boolean {
  return rawFrom(textOf(path)) === path
}

/** As git itself writes such a path: in quotes, with its bytes as octal numbers. */
export function quoted(path: RawPath): string {
  const bytes = path.replaceAll(
    /[^ !#-[\]-~]/g,
    (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`,
  )
  return `"${bytes}"`
}
