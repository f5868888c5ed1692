import { realpath } from 'node:fs/promises'
import type { CommitId, TreePath } from '../domain/brand.ts'
import { sha256 } from '../domain/canonical-json.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import { policyHash } from '../domain/policies.ts'
import type { Policy } from '../domain/policy.ts'
import { fewOf } from '../domain/text.ts'
import { isByName } from '../domain/remote.ts'
import type { RepositoryInfo } from '../domain/worktree.ts'
import { refuseNames } from './base-names.ts'
import { readBlobs } from './blobs.ts'
import { deniedEntries } from './denied.ts'
import { folderMode, parseEntries, submoduleMode, type Entry } from './entries.ts'
import type { Setting } from './hardening.ts'
import { mirrorOf } from './layout.ts'
import { filterNames, filtersOff } from './filters-off.ts'
import { textOf, within, type RawPath } from './raw.ts'
import { refuseHook, settingsFrom } from './receiving.ts'
import type { Site } from './site.ts'
import { tracking } from './remote/listing.ts'
import { ownBranch } from './remote/mirror.ts'
import { askSource, resolveRef } from './source-git.ts'
import { asRepository, findSource, mirrorSource, sourcePlace, type Source } from './source.ts'
import { parseStatus } from './status.ts'
import { quoted, unmountable } from './unmountable.ts'

async function sourceAt(site: Site, path: string): Promise<Source> {
  if (isByName(path)) return mirrorSource(mirrorOf(site.data, site.remotes.key(path)), path)
  return await site.looks.sourceAt(path, () => findSource(path, site.self))
}

function inDataFolder(path: string): Failure {
  return new Failure('repository', `${path} lies in the data folder of Cofferdam: give your own repository.`)
}

/** Looks at a repository without changing it or running anything of it. */
export async function inspectRepository(
  site: Site,
  path: string,
  asked: string | null,
): Promise<RepositoryInfo> {
  if (isByName(path)) return await inspectRemote(site, path, asked)
  // Before anything is read there: agents write in it.
  const real = await realpath(path).catch(() => path)
  if (within(site.data, real)) throw inDataFolder(path)
  const source = await sourceAt(site, path)
  if (within(site.data, source.top)) throw inDataFolder(source.top)
  const ref = asked ?? 'HEAD'
  // Both questions need them, and neither where it was answered just now.
  let read: Promise<readonly Setting[]> | null = null
  const settings = (): Promise<readonly Setting[]> => (read ??= settingsOf(site, source))
  const seen = await site.looks.recall(source, ref, ['settled', 'commit'], () =>
    inspectSource(site, source, asked, settings),
  )
  // Not before: what is refused above must not be looked through.
  const notes = await site.looks.recall(source, ref, ['passing', 'work'], () =>
    uncommitted(site, source, settings),
  )
  return { ...seen, notes: [...notes, ...seen.notes] }
}

/** What it has now, or where it does not answer had last. */
async function inspectRemote(site: Site, name: string, asked: string | null): Promise<RepositoryInfo> {
  const notes = await site.remotes.refresh(name)
  const source = await sourceAt(site, name)
  const ref = asked ?? ownBranch(source.gitDir)
  if (ref === null)
    throw new Failure(
      'repository',
      `The remote of ${name} names no branch as its own: name one to start from.`,
    )
  const seen = await inspectSource(site, source, ref)
  return { ...seen, key: site.remotes.key(name), notes: [...notes, ...seen.notes] }
}

async function inspectSource(
  site: Site,
  source: Source,
  asked: string | null,
  settingsOfIt = (): Promise<readonly Setting[]> => settingsOf(site, source),
): Promise<RepositoryInfo> {
  const { ref, commit } = await resolveRef(askSource(site.settings, source), source, asked)
  return asRepository(source, async () => {
    const settings = await settingsOfIt()
    refusePartial(
      source,
      settings.map(([key]) => key),
    )
    refuseHook(source, settings)
    const { entries, folders } = await treeOf(site, source, commit)
    refuseNames(`${ref} of ${source.top}`, entries, folders)
    rememberLook(site, source, commit, entries)
    const notes = [...submodules(entries), ...(await pointers(site, source, entries))]
    return { path: source.top, key: keyOf(source), ref, commit, notes }
  })
}

/** Tracked files of a commit in a user's repository that the policy denies. Refuses a commit that boxes have no mounts for. */
export async function hiddenFiles(
  site: Site,
  path: string,
  commit: CommitId,
  policy: Policy,
): Promise<readonly TreePath[]> {
  const source = await sourceAt(site, path)
  const question = ['settled', `hidden by ${policyHash(policy)}`] as const
  return await site.looks.recall(source, commit, question, () => hiddenIn(site, source, commit, policy))
}

async function hiddenIn(
  site: Site,
  source: Source,
  commit: CommitId,
  policy: Policy,
): Promise<readonly TreePath[]> {
  return asRepository(source, async () => {
    const entries = lookedAt(site, source, commit) ?? (await treeOf(site, source, commit)).entries
    refuseUnmountable(source, unmountable(entries, site.policyMatcher(policy), policy.allow.length > 0))
    const denied = await deniedEntries(site, entries, policy)
    return denied.map((entry) => textOf(entry.path)).sort()
  })
}

/** The branch for a task: a branch `cofferdam` in the source leaves no room for `cofferdam/<id>`. */
export async function branchFor(site: Site, path: string, id: TaskId): Promise<string> {
  const source = await sourceAt(site, path)
  if (source.remote === true) return (await hasBranch(site, source)) ? `cofferdam-${id}` : `cofferdam/${id}`
  const taken = await site.looks.recall(source, 'cofferdam', ['settled', 'branch'], () =>
    hasBranch(site, source),
  )
  return taken ? `cofferdam-${id}` : `cofferdam/${id}`
}

async function hasBranch(site: Site, source: Source): Promise<boolean> {
  return asRepository(source, async () => {
    // Of one by URL also where it would be in the way of a push.
    const places = ['refs/heads/cofferdam', `${tracking}cofferdam`]
    const names = ['for-each-ref', '--format=%(refname)', ...places]
    const refs = (await site.git.line(sourcePlace(source), names, as(source))).split('\n')
    return places.slice(0, source.remote === true ? 2 : 1).some((place) => refs.includes(place))
  })
}

function as(source: Source): { as: Source['owner'] } {
  return { as: source.owner }
}

function keyOf(source: Source): string {
  return sha256(source.commonDir).slice(0, 16)
}

// What a larger one holds is asked for again, so that nothing large is kept.
const mostRemembered = 5000

/** What `inspectRepository` has just seen in this commit, for the question that follows it. */
function lookedAt(site: Site, { commonDir }: Source, commit: CommitId): readonly Entry[] | null {
  const key = `${commonDir} ${commit}`
  const entries = site.looked.get(key) ?? null
  site.looked.delete(key)
  return entries
}

function rememberLook(site: Site, { commonDir }: Source, commit: CommitId, entries: readonly Entry[]): void {
  site.looked.clear()
  if (entries.length <= mostRemembered) site.looked.set(`${commonDir} ${commit}`, entries)
}

/** What a commit holds, and the paths of its folders. */
async function treeOf(
  site: Site,
  source: Source,
  commit: CommitId,
): Promise<{ readonly entries: readonly Entry[]; readonly folders: ReadonlySet<RawPath> }> {
  const out = await site.git.run(sourcePlace(source), ['ls-tree', '-r', '-t', '-z', commit], as(source))
  const all = parseEntries(out)
  return {
    entries: all.filter(({ mode }) => mode !== folderMode),
    folders: new Set(all.filter(({ mode }) => mode === folderMode).map(({ path }) => path)),
  }
}

function refuseUnmountable(source: Source, paths: readonly RawPath[]): void {
  if (paths.length > 0)
    throw new Failure(
      'repository',
      `${source.top} has names that are no UTF-8 where the policy needs a mount, which the engine cannot make: ` +
        `rename ${fewOf(paths.map(quoted))} in a commit, or start from a commit without it.`,
    )
}

async function settingsOf(site: Site, source: Source): Promise<readonly Setting[]> {
  return settingsFrom(await site.git.run(sourcePlace(source), ['config', '--list', '-z'], as(source)))
}

function refusePartial(source: Source, keys: readonly string[]): void {
  if (keys.some((key) => /^(?:extensions\.partialclone|remote\..*\.promisor)$/i.test(key)))
    throw new Failure(
      'repository',
      `${source.top} is a partial clone, whose missing files would need the network: make it whole with ` +
        '`git fetch --refetch --filter=blob:limit=1000g`, or use a full clone.',
    )
}

/** Work in the user's checkout that no commit holds. */
async function uncommitted(
  site: Site,
  source: Source,
  settings: () => Promise<readonly Setting[]>,
): Promise<readonly string[]> {
  if (source.bare) return []
  const config = filtersOff(filterNames(await asRepository(source, settings)))
  const args = [
    'status',
    '--porcelain=v2',
    '-z',
    '--no-renames',
    '--ignore-submodules=all',
    '--untracked-files=normal',
  ]
  const options = { ...as(source), config, timeoutMs: 60_000, mostBytes: 4 * 1024 * 1024, cut: true }
  const answer = await site.git.ask(sourcePlace(source), args, options)
  if (answer.code !== 0)
    return ['Whether there is uncommitted work could not be seen; it is not part of the task.']
  const all = [...new Set(parseStatus(answer.out).map(textOf))].sort()
  if (all.length === 0) return []
  const many = answer.cut ? `more than ${all.length}` : String(all.length)
  return [`Uncommitted changes are not part of the task: ${many} (${fewOf(all)}).`]
}

function submodules(entries: readonly Entry[]): readonly string[] {
  const paths = entries.filter((entry) => entry.mode === submoduleMode).map((entry) => textOf(entry.path))
  return paths.length === 0 ? [] : [`Submodules are left empty: ${fewOf(paths)}.`]
}

async function pointers(site: Site, source: Source, entries: readonly Entry[]): Promise<readonly string[]> {
  const files = entries.filter(
    ({ path, mode }) => /(?:^|\/)\.gitattributes$/.test(path) && mode.startsWith('100'),
  )
  const blobs = await readBlobs(
    site.git,
    sourcePlace(source),
    files.map(({ id }) => id),
    as(source),
  )
  const text = [...blobs.values()].map((blob) => blob.toString('utf8')).join('\n')
  const patterns = text
    .split('\n')
    .flatMap((line) => /^\s*([^\s#]\S*)\s.*\bfilter=lfs\b/.exec(line)?.[1] ?? [])
  return patterns.length === 0 ? [] : [`Files of Git LFS are left as pointers: ${fewOf(patterns)}.`]
}
