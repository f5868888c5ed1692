import type { CommitId, HostPath } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { quotedInline } from '../../domain/shell.ts'
import { fewOf } from '../../domain/text.ts'
import { readText } from '../files.ts'
import type { GitPlace, Setting } from '../hardening.ts'
import { at } from '../layout.ts'
import { parts, type RawPath, textOf } from '../raw.ts'
import type { Site } from '../site.ts'
import { asRepository } from '../source.ts'
import { parseStatus } from '../status.ts'
import { takeBack } from './broken-off.ts'
import { type Checkout, checkoutsOn, isLocked, isThere, openCheckout, underWay } from './checkouts.ts'
import { obstacleIn } from './obstacles.ts'
import { Refused, type Target } from './target.ts'

/** What the far end of a push is told about a checkout of the branch. */
export interface Following {
  /** `none`: no checkout has the branch. `already`: one is where the branch goes, left so by a move that was broken off. */
  readonly how: 'none' | 'follows' | 'already'
  /** That checkout; null where there is none. */
  readonly folder: HostPath | null
  readonly settings: readonly Setting[]
}

/**
 * Makes sure that a branch can be moved without taking anything from whoever has it checked out: their checkout has to be
 * clean, with nothing under way, and then follows. Refuses in one sentence what does not let it.
 * @param mirror holds both commits
 */
export async function followingOf(
  site: Site,
  mirror: HostPath,
  target: Target,
  to: CommitId,
): Promise<Following> {
  return asRepository(target.source, async () => {
    const folders = await checkoutsOn(site, target)
    const [folder] = folders
    if (folder === undefined) return { how: 'none', folder: null, settings: deny('refuse') }
    if (folders.length > 1)
      throw refusal(
        target,
        `is checked out in several folders (${fewOf(folders)})`,
        'leave it in all but one',
      )
    if (!isThere(folder)) throw notThere(target, folder)
    const checkout = await openCheckout(site, target, folder)
    const { elsewhere } = checkout
    if (elsewhere !== null)
      throw refusal(
        target,
        `is checked out in ${folder}, which says that its files are in another folder (core.worktree = ${elsewhere.path})`,
        `take that out with \`git -C ${quotedInline(folder)} ${elsewhere.unset}\`, or check out another branch there`,
      )
    if (isLocked(checkout))
      throw new Failure(
        'busy',
        `Another git process is at work in ${folder}: when it is not, remove ${checkout.place.gitDir}/index.lock, then try again.`,
      )
    const busy = underWay(checkout)
    if (busy !== null) throw refusal(target, `is checked out in ${folder}, where ${busy}`, 'finish that')
    if (await isAt(site, checkout, to)) return { how: 'already', folder, settings: deny('ignore') }
    let changed = await changesIn(site, checkout)
    if (await takeBack(site, mirror, checkout, target.tip, changed)) changed = await changesIn(site, checkout)
    if (changed.length > 0)
      throw refusal(
        target,
        `is checked out in ${folder} with changes that are not committed (${fewOf(changed.map(textOf))})`,
        'commit or stash them, or check out another branch there',
      )
    if (await wantsFilter(site, mirror, target, checkout, to))
      throw refusal(
        target,
        `is checked out in ${folder}, where files go through a filter, and Cofferdam runs none`,
        'check out another branch there',
      )
    const obstacle = await obstacleIn(site, mirror, checkout, target.tip, to)
    if (obstacle !== null)
      throw refusal(target, `is checked out in ${folder}, ${obstacle.what}`, obstacle.next)
    return { how: 'follows', folder, settings: [...updating, ...checkout.options.config] }
  })
}

/** What git does at the far end with a checkout of the branch; also with one that is made this very moment. */
const deny = (how: 'refuse' | 'ignore' | 'updateInstead'): readonly Setting[] => [
  ['receive.denyCurrentBranch', how],
]

/** One file after the other, so that it can be seen how far it had come. */
const updating: readonly Setting[] = [...deny('updateInstead'), ['checkout.workers', '1']]

function refusal({ branch, source }: Target, what: string, next: string): Refused {
  return new Refused(`The branch ${branch} of ${source.top} ${what}: ${next}, then try again.`)
}

/** Whoever finds that folder again would have a checkout that says that all of the work is taken back. */
function notThere(target: Target, folder: HostPath): Refused {
  const { top, commonDir } = target.source
  return folder === commonDir
    ? refusal(
        target,
        `is checked out in ${top}, whose git folder lies elsewhere (${commonDir})`,
        'check out another branch there',
      )
    : refusal(
        target,
        `is checked out in ${folder}, which is not there or not to be seen`,
        `mount it, or \`git -C ${quotedInline(top)} worktree prune\``,
      )
}

async function isAt(site: Site, { place, options }: Checkout, commit: CommitId): Promise<boolean> {
  const says = async (...args: readonly string[]): Promise<boolean> =>
    (await site.git.ask(place, args, options)).code === 0
  return (
    // It fails where that has no such commit.
    (await says('diff-index', '--cached', '--quiet', commit, '--')) &&
    (await says('diff', '--quiet', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all'))
  )
}

async function changesIn(site: Site, { place, options }: Checkout): Promise<readonly RawPath[]> {
  const args = ['--porcelain=v2', '-z', '--no-renames', '--ignore-submodules=all', '--untracked-files=no']
  return parseStatus(await site.git.run(place, ['status', ...args], options))
}

/** Whether a file there may be one that is not written as the commit has it. */
async function wantsFilter(
  site: Site,
  mirror: HostPath,
  { source, tip }: Target,
  { filters }: Checkout,
  to: CommitId,
): Promise<boolean> {
  // A setting with such a name cannot be laid over on a command line.
  if (filters.some((name) => /[=\n]/.test(name))) return true
  if (namesFilter(readText(at(source.commonDir, 'info/attributes')) ?? '')) return true
  const place = { gitDir: mirror }
  return (await hasFilter(site, place, tip)) || (await hasFilter(site, place, to))
}

async function hasFilter(site: Site, place: GitPlace, commit: CommitId): Promise<boolean> {
  const out = await site.git.run(place, ['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit])
  for (const name of parts(out).map(textOf)) {
    if (!/(?:^|\/)\.gitattributes$/.test(name)) continue
    const content = await site.git.ask(place, ['cat-file', 'blob', `${commit}:${name}`])
    if (namesFilter(content.out.toString('utf8'))) return true
  }
  return false
}

function namesFilter(attributes: string): boolean {
  return attributes.split('\n').some((line) => /^\s*[^\s#].*\sfilter=/.test(line))
}
