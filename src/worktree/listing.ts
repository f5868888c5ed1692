import { readdirSync } from 'node:fs'
import type { HostPath, TreePath } from '../domain/brand.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import { isOpenFolder, type Listing } from '../domain/listing.ts'
import type { Memory } from './memory.ts'
import { pace } from './pace.ts'
import { diskPath, rawJoin, textOf, type RawPath } from './raw.ts'

type Match = Listing['matches'][number]

/** What the mount plan needs to know of a worktree. A folder that a rule matches is not looked into. */
export async function listTree(
  root: HostPath,
  memory: Memory,
  matcher: PolicyMatcher,
  limited: boolean,
): Promise<Listing> {
  const folders: string[] = []
  const matches: Match[] = []
  const writable: TreePath[] = []
  const slices = pace()
  const open = ['' as RawPath]
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const closed = limited && !isOpenFolder(matcher, textOf(folder))
    for (const entry of readdirSync(diskPath(root, folder), { withFileTypes: true, encoding: 'latin1' })) {
      if (folder === '' && entry.name === '.git') continue
      const raw = rawJoin(folder, entry.name)
      const path = textOf(raw)
      const type = typeOf(entry)
      const verdict = matcher.verdict(path, type === 'folder')
      if (type === 'folder') folders.push(path)
      if (verdict.kind !== 'none') matches.push({ path, type, kind: verdict.kind, rule: verdict.rule })
      else if (type === 'folder') open.push(raw)
      else if (closed && type === 'file') writable.push(path)
      if (slices.due()) await slices.rest()
    }
  }
  return {
    hidden: memory.base.hidden.map(({ path }) => textOf(path)).sort(),
    folders: folders.sort(),
    matches: matches.sort((one, other) => (one.path < other.path ? -1 : 1)),
    ...(limited ? { writable: writable.sort() } : {}),
  }
}

function typeOf(entry: {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}): Match['type'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'symlink' : 'other'
}
