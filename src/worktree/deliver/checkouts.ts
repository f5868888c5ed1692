import type { HostPath } from '../../domain/brand.ts'
import { exists, readText } from '../files.ts'
import type { GitOptions } from '../git.ts'
import type { GitPlace, Setting } from '../hardening.ts'
import { filterNames, filtersOff } from '../filters-off.ts'
import { at } from '../layout.ts'
import { settingsFrom } from '../receiving.ts'
import type { Site } from '../site.ts'
import { findSource, type Source, sourcePlace } from '../source.ts'
import type { Target } from './target.ts'

/** A user's checkout that has the target branch. */
export interface Checkout {
  readonly folder: HostPath
  readonly place: GitPlace
  /** For git there: its owner's ids, and none of its filters. */
  readonly options: GitOptions & { readonly config: readonly Setting[] }
  /** The names of those filters. */
  readonly filters: readonly string[]
}

/**
 * Folders that have the branch checked out, linked worktrees too, also where a rebase or a bisect has it, and those that
 * are gone: git knows of them until they are pruned.
 */
export async function checkoutsOn(site: Site, { source, ref }: Target): Promise<readonly HostPath[]> {
  const args = ['worktree', 'list', '--porcelain', '-z']
  const out = await site.git.run({ gitDir: source.gitDir }, args, { as: source.owner })
  const found: HostPath[] = []
  for (const record of out.toString('utf8').split('\0\0')) {
    const lines = record.split('\0')
    const folder = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length)
    if (folder === undefined || lines.includes('bare')) continue
    if (lines.includes(`branch ${ref}`) || (isThere(folder) && (await isBeingRebased(site, folder, ref))))
      found.push(folder as HostPath)
  }
  return found
}

/** Whether a checkout is where git says that it is. */
export function isThere(folder: string): boolean {
  return exists(`${folder}/.git`)
}

/** While a branch is rebased or bisected its name is not in `HEAD`. */
async function isBeingRebased(site: Site, folder: string, ref: string): Promise<boolean> {
  const { gitDir } = await findSource(folder, site.self)
  const read = (name: string): string | undefined => readText(at(gitDir, name))?.trim()
  const names = ['rebase-merge/head-name', 'rebase-apply/head-name']
  return names.some((name) => read(name) === ref) || `refs/heads/${read('BISECT_START')}` === ref
}

export async function openCheckout(site: Site, { source }: Target, folder: HostPath): Promise<Checkout> {
  const place = sourcePlace(await findSource(folder, site.self))
  const as = source.owner
  const settings = settingsFrom(await site.git.run(place, ['config', '--list', '-z'], { as }))
  const filters = filterNames(settings)
  const config = [...filtersOff(filters), ...(await spellingOf(site, place, as))]
  return { folder, place, options: { as, config }, filters }
}

/** How the files of a checkout are written, which its repository may say; none of it runs anything. */
const spelling: ReadonlySet<string> = new Set([
  'core.autocrlf',
  'core.eol',
  'core.filemode',
  'core.ignorecase',
  'core.precomposeunicode',
  'core.symlinks',
])

async function spellingOf(site: Site, place: GitPlace, as: Source['owner']): Promise<readonly Setting[]> {
  const args = ['config', '--list', '--show-scope', '-z']
  // Each setting comes after the scope that it stands in; `command` is our own.
  const words = (await site.git.run(place, args, { as })).toString('utf8').split('\0')
  return words.flatMap((word, at): readonly Setting[] => {
    if (at % 2 === 0 || words[at - 1] === 'command') return []
    const [setting] = settingsFrom(Buffer.from(word))
    return setting !== undefined && spelling.has(setting[0]) ? [setting] : []
  })
}

const operations: Readonly<Record<string, string>> = {
  MERGE_HEAD: 'a merge is under way',
  CHERRY_PICK_HEAD: 'a cherry-pick is under way',
  REVERT_HEAD: 'a revert is under way',
  'rebase-merge': 'a rebase is under way',
  'rebase-apply': 'a rebase is under way',
  BISECT_START: 'a bisect is under way',
}

/** Whether git is at work there this moment, or was when the machine went down. */
export function isLocked({ place }: Checkout): boolean {
  return exists(`${place.gitDir}/index.lock`)
}

/** What somebody has begun in a checkout and not finished, in words; null where there is nothing. */
export function underWay({ place }: Checkout): string | null {
  return Object.entries(operations).find(([name]) => exists(`${place.gitDir}/${name}`))?.[1] ?? null
}
