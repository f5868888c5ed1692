import type { LeftOut } from '../domain/worktree.ts'
import { insideOf, topmost } from './ignored.ts'
import { bare, isFolder, shown, textOf, within, type RawPath } from './raw.ts'
import type { Examined } from './seen.ts'
import { mostFolderBytes } from './walk.ts'

/** What becomes of each difference on disk. */
export interface Plan {
  /** Taken into the commit as they are on disk. */
  readonly add: readonly RawPath[]
  /** Taken out of it. What is disguised goes out and in again. */
  readonly remove: readonly RawPath[]
  readonly leftOut: readonly LeftOut[]
  /** What stays on disk though no commit holds it. */
  readonly extras: readonly RawPath[]
}

/** `hidden`: paths of the base that the policy denies, which the commit holds though they are not on disk. */
export function planOf(seen: Examined, hidden: readonly RawPath[]): Plan {
  const ignored = new Set<string>(seen.ignored.map(bare))
  const covered = insideOf(ignored)
  const fresh = seen.loose.filter((path) => !ignored.has(path) && !covered(path))
  const inTheWay = fresh.filter((path) => hidden.some((other) => within(path, other)))
  const blocked = new Set(inTheWay)
  const present = seen.changed.filter(({ mode }) => mode !== '000000')
  return {
    add: [...present.map(({ path }) => path), ...fresh.filter((path) => !blocked.has(path))],
    remove: seen.changed
      .filter(({ mode, disguised }) => disguised || mode === '000000')
      .map(({ path }) => path),
    leftOut: few([
      ...seen.disk.long.map(({ path, most }) => undo(path, `longer than ${sizeOf(most)}`)),
      ...seen.disk.deep.map((path) => undo(path, `nested deeper than ${mostFolderBytes} bytes of path`)),
      ...ignoredOnes(seen.ignored),
      ...seen.nested.map((path) => leave(path, 'a git repository of its own, or inside a submodule')),
      ...seen.setup.map((path) => leave(path, 'where setup keeps its own')),
      ...seen.disk.specials.map(({ path, found }) => leave(path, `a ${found}; removed`)),
      ...inTheWay.map((path) => leave(path, 'in the way of a path that the policy hides')),
    ]),
    extras: [
      ...seen.ignored,
      ...seen.buried,
      ...seen.setup,
      ...inTheWay,
      ...seen.disk.gits.map(({ path }) => path),
      ...topmost(seen.disk.hollow),
    ],
  }
}

// More than anyone reads.
const most = 200

function few(all: readonly LeftOut[]): readonly LeftOut[] {
  if (all.length <= most) return all
  return [...all.slice(0, most), { path: './', why: `and ${all.length - most} more` }]
}

function leave(path: RawPath, why: string): LeftOut {
  return { path: textOf(path), why }
}

function undo(path: RawPath, why: string): LeftOut {
  return { path: shown(path), why, undone: true }
}

function sizeOf(bytes: number): string {
  return `${bytes / (1024 * 1024)} MiB`
}

// So many ignored files of one folder are named one by one; more as a number.
const named = 5

/** Ignored folders as such, ignored files one by one or, where there are many in a folder, as a number. */
function ignoredOnes(ignored: readonly RawPath[]): readonly LeftOut[] {
  const byFolder = new Map<string, RawPath[]>()
  for (const path of ignored) {
    const folder = bare(path).slice(0, bare(path).lastIndexOf('/') + 1)
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), path])
  }
  return [...byFolder].flatMap(([folder, paths]) => {
    const files = paths.filter((path) => !isFolder(path))
    const shown = files.length > named ? paths.filter(isFolder) : paths
    const many = files.length - named
    const rest = {
      path: textOf(folder as RawPath) || './',
      why: `${files.length} files covered by .gitignore`,
    }
    return [...shown.map((path) => leave(path, 'covered by .gitignore')), ...(many > 0 ? [rest] : [])]
  })
}
