import { isUtf8 } from 'node:buffer'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { HostPath } from '../../domain/brand.ts'
import { exists, readText } from '../files.ts'
import type { GitOptions } from '../git.ts'
import type { GitPlace, Setting } from '../hardening.ts'
import { filterNames, filtersOff } from '../filters-off.ts'
import { at } from '../layout.ts'
import { settingsFrom } from '../receiving.ts'
import type { Site } from '../site.ts'
import { findSource, type Source, sourcePlace } from '../source.ts'
import { Refused, type Target } from './target.ts'

/** A user's checkout that has the target branch. */
export interface Checkout {
  readonly folder: HostPath
  readonly place: GitPlace
  /** For git there: its owner's ids, and none of its filters. */
  readonly options: GitOptions & { readonly config: readonly Setting[] }
  /** The names of those filters. */
  readonly filters: readonly string[]
  /** A setting that says that its files are in another folder; null where none does. */
  readonly elsewhere: Elsewhere | null
}

interface Elsewhere {
  readonly path: string
  /** What takes the setting out, after `git`. */
  readonly unset: string
}

/**
 * Folders that have the branch checked out, linked worktrees too, also where a rebase or a bisect has it, and those that
 * are gone: git knows of them until they are pruned.
 */
export async function checkoutsOn(site: Site, { source, branch, ref }: Target): Promise<readonly HostPath[]> {
  const args = ['worktree', 'list', '--porcelain', '-z']
  const out = await site.git.run({ gitDir: source.gitDir }, args, { as: source.owner })
  const found: HostPath[] = []
  for (const record of out.toString('latin1').split('\0\0')) {
    const lines = record.split('\0').map((line) => Buffer.from(line, 'latin1'))
    const raw = lines
      .find((line) => line.toString('latin1').startsWith('worktree '))
      ?.subarray('worktree '.length)
    const says = (text: string): boolean => lines.some((line) => line.toString('utf8') === text)
    if (raw === undefined || says('bare')) continue
    const [folder, isOn] = [raw.toString('utf8'), says(`branch ${ref}`)]
    // Paths are text here: as such this one names another folder, or none. Moved, it keeps the name in its git folder.
    if (!isUtf8(raw)) {
      if (!isOn) continue
      throw new Refused(
        `The branch ${branch} of ${source.top} is checked out in ${folder}, whose name is no UTF-8: ` +
          'check out another branch there, or `git worktree remove` it and add it by another name, then try again.',
      )
    }
    if (isOn || (isThere(folder) && (await isBeingRebased(site, folder, ref)))) found.push(folder as HostPath)
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
  const found = await findSource(folder, site.self)
  const place = sourcePlace(found)
  const as = source.owner
  const settings = await scopedSettings(site, place, as)
  const filters = filterNames(settings.map(({ setting }) => setting))
  const config = [...filtersOff(filters), ...spellingOf(settings)]
  return { folder, place, options: { as, config }, filters, elsewhere: elsewhereOf(found, settings) }
}

/** We name the folder that a checkout has its `.git` in, whatever `core.worktree` says; of a submodule both are the same. */
function elsewhereOf({ top, gitDir, commonDir }: Source, settings: readonly Scoped[]): Elsewhere | null {
  const isOn = (name: string): boolean =>
    settings.some(({ setting: [key, value] }) => key === name && /^(?:true|yes|on|1|)$/i.test(value))
  // What is set for the main checkout means a linked one only where each may have settings of its own.
  const isShared = gitDir === commonDir || isOn('extensions.worktreeconfig')
  const set = settings.findLast(
    ({ scope, setting: [key] }) =>
      key === 'core.worktree' && (scope === 'worktree' || (scope === 'local' && isShared)),
  )
  if (set === undefined) return null
  const path = resolve(gitDir, set.setting[1])
  if (real(path) === real(top)) return null
  return { path, unset: `config ${set.scope === 'worktree' ? '--worktree ' : ''}--unset-all core.worktree` }
}

/** The path itself where nothing is there. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
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

function spellingOf(settings: readonly Scoped[]): readonly Setting[] {
  return settings
    .filter(({ scope, setting: [key] }) => scope !== 'command' && spelling.has(key))
    .map(({ setting }) => setting)
}

/** A setting with the scope that it stands in; `command` is our own. */
interface Scoped {
  readonly scope: string
  readonly setting: Setting
}

async function scopedSettings(site: Site, place: GitPlace, as: Source['owner']): Promise<readonly Scoped[]> {
  const args = ['config', '--list', '--show-scope', '-z']
  // Each setting comes after its scope.
  const words = (await site.git.run(place, args, { as })).toString('utf8').split('\0')
  return words.flatMap((word, at): readonly Scoped[] => {
    const scope = words[at - 1]
    if (at % 2 === 0 || scope === undefined) return []
    return settingsFrom(Buffer.from(word)).map((setting) => ({ scope, setting }))
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
