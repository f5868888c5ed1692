import { Failure } from '../domain/failure.ts'
import type { Entry } from './entries.ts'
import { isDotGit, isGitModules } from './git-names.ts'
import { shown, type RawPath } from './raw.ts'
import { mostFolderBytes } from './walk.ts'

// Longer names fit on no usual file system.
const mostNameBytes = 255

/** Refuses a commit of what git makes no checkout: no worktree could hold it. `what`: the commit, for a
 * sentence; `folders`: the paths of all its folders. */
export function refuseNames(what: string, entries: readonly Entry[], folders: ReadonlySet<RawPath>): void {
  for (const { path, mode } of entries) {
    const why = reasonAgainst(path, mode) ?? outOfNowhere(path, folders)
    if (why === null) continue
    throw new Failure(
      'repository',
      `${what} holds ${JSON.stringify(shown(path))}, of which git makes no checkout (${why}): ` +
        'take it out in a new commit, and start from that.',
    )
  }
}

/** Git lists a name with a slash in it as if it lay in a folder. */
function outOfNowhere(path: RawPath, folders: ReadonlySet<RawPath>): string | null {
  const end = path.lastIndexOf('/')
  return end < 0 || folders.has(path.slice(0, end) as RawPath) ? null : 'a name in it has a slash'
}

function reasonAgainst(path: RawPath, mode: string): string | null {
  const names = path.split('/')
  if (names.some((name) => name === '')) return 'a name in it is empty'
  if (names.some((name) => name === '.' || name === '..')) return 'it leads out of its folder'
  if (names.some(isDotGit)) return "it has the name of git's own folder"
  if (mode === '120000' && isGitModules(names.at(-1) ?? ''))
    return 'it is a symlink that git reads rules from'
  if (names.some((name) => name.length > mostNameBytes)) return `a name is longer than ${mostNameBytes} bytes`
  if (path.lastIndexOf('/') > mostFolderBytes) return `its folder has more than ${mostFolderBytes} bytes`
  return null
}
