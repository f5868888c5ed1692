import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { CommitId, TreePath } from '../domain/brand.ts'
import { canonicalJson, sha256 } from '../domain/canonical-json.ts'
import { isManifest, manifestFingerprint } from '../domain/setup.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { readBlobs } from './blobs.ts'
import { checkOutFresh, giveAll } from './checkout.ts'
import { parseEntries, type Entry } from './entries.ts'
import { exists, readJson, throwAway, writeWhole } from './files.ts'
import { treesOf } from './filtered.ts'
import { combineRules } from './ignore-rules.ts'
import { at, layoutOf, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { bare, diskPath, parts, textOf, type RawPath } from './raw.ts'
import type { Site } from './site.ts'
import { lookAt } from './walk.ts'

const raw = z.string().transform((text) => text as RawPath)
const schema = z.object({ key: z.string(), kept: z.array(raw), dropped: z.array(raw) })
type Kept = z.infer<typeof schema>

// More names than anyone reads.
const mostDropped = 500

/** A hash over the manifests and lock files of a commit; asked after every step, so it is kept. */
export async function setupKeyOf(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  commit: CommitId,
): Promise<string> {
  const known = memory.setupKeys.get(commit)
  if (known !== undefined) return known
  const place = { gitDir: layoutOf(site.data, task).mirror }
  const entries = await treeEntries(site, task, commit)
  const files = entries.filter((entry) => entry.mode.startsWith('100') && isManifest(textOf(entry.path)))
  const blobs = await readBlobs(
    site.git,
    place,
    files.map(({ id }) => id),
  )
  const prints = files.map(({ path, id }) => {
    const content = blobs.get(id)
    return [textOf(path), content === undefined ? id : manifestFingerprint(textOf(path), content)]
  })
  const key = sha256(canonicalJson(prints))
  memory.setupKeys.set(commit, key)
  return key
}

/** The checkout that a setup box writes in: fresh, of exactly this commit. */
export async function openSetupTree(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  commit: CommitId,
): Promise<void> {
  const layout = layoutOf(site.data, task)
  const { filtered } = await treesOf(site, task, memory, commit)
  await throwAway(site.data, layout.setupTree)
  await rm(movingFile(layout), { force: true })
  await mkdir(layout.setupTree, { recursive: true, mode: 0o755 })
  const place = { gitDir: layout.gitDir, workTree: layout.setupTree, index: layout.setupIndex }
  await checkOutFresh(site, place, filtered)
}

/**
 * Keeps what setup left where the base's own ignore rules cover it, and drops the rest. The list is written before
 * anything is moved, so that a kill in between leaves something to go on with.
 */
export async function keepSetup(site: Site, task: TaskPlace, key: string): Promise<Kept> {
  const layout = layoutOf(site.data, task)
  const done = await readJson(layout.keptFile, schema)
  if (done?.key === key && !(await exists(layout.setupTree))) return done
  const half = at(layout.setups, 'kept.new')
  const before = await readJson(movingFile(layout), schema)
  const moving = before?.key === key ? before : { key, ...(await sort(site, task, layout)) }
  if (moving !== before) {
    await throwAway(site.data, half)
    await mkdir(half, { recursive: true, mode: 0o755 })
    await writeWhole(movingFile(layout), JSON.stringify(moving))
  }
  if (await exists(half)) {
    for (const path of moving.kept) await move(layout, half, path)
    await giveAll(site, half)
    await rm(layout.keptFile, { force: true })
    await throwAway(site.data, layout.kept)
    await rename(half, layout.kept)
  }
  await writeWhole(layout.keptFile, JSON.stringify(moving))
  await throwAway(site.data, layout.setupTree)
  await rm(movingFile(layout), { force: true })
  return moving
}

/** What setup left at last; empty without setup. */
export async function keptOf(site: Site, task: TaskPlace): Promise<readonly TreePath[]> {
  const kept = await readJson(layoutOf(site.data, task).keptFile, schema)
  return (kept?.kept ?? []).map(textOf).sort()
}

function movingFile(layout: TaskLayout): ReturnType<typeof at> {
  return at(layout.setups, 'moving.json')
}

async function treeEntries(site: Site, task: TaskPlace, commit: CommitId): Promise<readonly Entry[]> {
  const place = { gitDir: layoutOf(site.data, task).mirror }
  return parseEntries(await site.git.run(place, ['ls-tree', '-r', '-z', commit]))
}

/** Sorts what the setup box left into what is kept and what is not. */
async function sort(site: Site, task: TaskPlace, layout: TaskLayout): Promise<Omit<Kept, 'key'>> {
  const rules = at(layout.privateFolder, 'setup-ignore')
  await writeFile(rules, await baseRules(site, task))
  const place = { gitDir: layout.gitDir, workTree: layout.setupTree, index: layout.setupIndex }
  const list = async (...args: readonly string[]): Promise<readonly RawPath[]> =>
    parts(await site.git.run(place, args)).map(bare)
  const others = ['ls-files', '-z', '--others', '--directory', `--exclude-from=${rules}`]
  const ignored = await list(...others, '--ignored')
  const strange = await list(...others, '--no-empty-directory')
  const changed = await list('diff-files', '-z', '--name-only', '--ignore-submodules=all')
  const matcher = site.policyMatcher(task.policy)
  const usable = (path: RawPath): boolean => {
    const found = lookAt(layout.setupTree, path)
    if (found !== 'folder' && found !== 'file') return false
    return matcher.verdict(textOf(path), found === 'folder').kind !== 'deny'
  }
  const kept = ignored.filter(usable)
  const keep = new Set(kept)
  const dropped = [...strange, ...changed, ...ignored].filter((path) => !keep.has(path))
  return { kept, dropped: [...new Set(dropped)].sort().slice(0, mostDropped) }
}

async function baseRules(site: Site, task: TaskPlace): Promise<string> {
  const entries = await treeEntries(site, task, task.base.commit)
  const files = entries.filter(
    ({ path, mode }) => /(?:^|\/)\.gitignore$/.test(path) && mode.startsWith('100'),
  )
  const ids = files.map(({ id }) => id)
  const blobs = await readBlobs(site.git, { gitDir: layoutOf(site.data, task).mirror }, ids)
  return combineRules(
    files.map(({ path, id }) => {
      const folder = dirname(textOf(path))
      return {
        folder: folder === '.' ? '' : folder,
        content: (blobs.get(id) ?? Buffer.from('')).toString('utf8'),
      }
    }),
  )
}

/** Fine where it has been moved already. */
async function move(layout: TaskLayout, to: ReturnType<typeof at>, path: RawPath): Promise<void> {
  const found = lookAt(layout.setupTree, path)
  if (found === 'gone') return
  // Some package managers take the right to write away, and a folder without it cannot be moved.
  if (found === 'folder') await chmod(diskPath(layout.setupTree, path), 0o755)
  const parent = dirname(path)
  if (parent !== '.') await mkdir(diskPath(to, parent as RawPath), { recursive: true })
  await rename(diskPath(layout.setupTree, path), diskPath(to, path))
}
