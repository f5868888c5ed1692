import { asFolder, nulled, parts, within, type RawPath } from './raw.ts'
import { gitFailure, type Git } from './git.ts'
import type { GitPlace } from './hardening.ts'

/** Untracked paths and the folders above them that hold nothing tracked. */
export interface Strangers {
  readonly files: readonly RawPath[]
  /** Topmost first. */
  readonly folders: readonly RawPath[]
  /** Those files and folders of both that lie in none of the folders; a folder ends with `/`. */
  readonly top: readonly RawPath[]
}

/** `tracked`: all folders that hold something tracked. */
export function strangersOf(files: readonly RawPath[], tracked: ReadonlySet<string>): Strangers {
  const folders = new Set<RawPath>()
  const top = new Set<RawPath>()
  for (const path of files) {
    let first: RawPath | null = null
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash) as RawPath
      if (tracked.has(folder)) continue
      folders.add(folder)
      first ??= asFolder(folder)
    }
    top.add(first ?? path)
  }
  return { files, folders: [...folders], top: [...top] }
}

/** Which of them the .gitignore files on disk cover; of a whole folder, the folder alone, with `/` at its end. */
export async function ignoredOf(git: Git, place: GitPlace, all: Strangers): Promise<readonly RawPath[]> {
  if (all.files.length === 0) return []
  // This command knows no literal paths: `./` keeps a name that begins with a colon from being more than a name.
  const input = nulled([...all.folders, ...all.files].map((path) => `./${path}` as RawPath))
  const args = ['check-ignore', '--no-index', '-z', '--stdin']
  const answer = await git.ask(place, args, { input, env: { GIT_LITERAL_PATHSPECS: '0' } })
  // It exits with 1 where nothing is covered.
  if (answer.code > 1) throw gitFailure('check-ignore', answer.err)
  const covered = new Set<string>(parts(answer.out).map((path) => path.slice(2)))
  const folders = all.folders.filter((folder) => covered.has(folder))
  const inside = insideOf(new Set(folders))
  return [
    ...folders.filter((folder) => !inside(folder)).map(asFolder),
    ...all.files.filter((path) => covered.has(path) && !inside(path)),
  ]
}

/** Answers whether a path lies in one of the folders. */
export function insideOf(folders: ReadonlySet<string>): (path: string) => boolean {
  return (path) => {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      if (folders.has(path.slice(0, slash))) return true
    return false
  }
}

/** All folders above paths. */
export function foldersOf(paths: Iterable<RawPath>): ReadonlySet<string> {
  const folders = new Set<string>()
  for (const path of paths) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash)
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  return folders
}

/** Paths that lie in none of the others. */
export function topmost(paths: readonly RawPath[]): readonly RawPath[] {
  const top: RawPath[] = []
  for (const path of [...paths].sort()) {
    const last = top.at(-1)
    if (last === undefined || !within(last, path)) top.push(path)
  }
  return top
}
