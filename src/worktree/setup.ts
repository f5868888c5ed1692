import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { CommitId, TreePath } from '../domain/brand.ts'
import type { LeftOut, TaskPlace } from '../domain/worktree.ts'
import { readBlobs } from './blobs.ts'
import { checkOutFresh, giveAll } from './checkout.ts'
import { commitEntries } from './commit-entries.ts'
import { drop, exists, readJson, writeWhole } from './files.ts'
import { treesOf } from './filtered.ts'
import { combineRules } from './ignore-rules.ts'
import { at, layoutOf, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { bare, diskPath, parts, textOf, type RawPath } from './raw.ts'
import type { Site } from './site.ts'
import { throwAway } from './throw-away.ts'
import { printOf } from './tree-print.ts'
import { lookAt } from './walk.ts'

const raw = z.string().transform((text) => text as RawPath)
const leftOut = z.object({ path: z.string(), why: z.string() })
const movingSchema = z.object({ key: z.string(), kept: z.array(raw), dropped: z.array(leftOut) })
/** `print`: a hash over what is kept, see `printOf`. */
const keptSchema = movingSchema.extend({ print: z.string() })
type Moving = z.infer<typeof movingSchema>
type Kept = z.infer<typeof keptSchema>

// More names than anyone reads.
const mostDropped = 500

/** The checkout that a setup box writes in: fresh, of exactly this commit. */
export async function openSetupTree(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  commit: CommitId,
): Promise<void> {
  const layout = layoutOf(site.data, task)
  const { filtered } = await treesOf(site, task, memory, commit)
  throwAway(site.data, layout.setupTree)
  drop(movingFile(layout))
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
  const done = readJson(layout.keptFile, keptSchema)
  if (done?.key === key && !exists(layout.setupTree)) return done
  const half = at(layout.setups, 'kept.new')
  const before = readJson(movingFile(layout), movingSchema)
  const moving = before?.key === key ? before : { key, ...(await classify(site, task, layout)) }
  if (moving !== before) {
    throwAway(site.data, half)
    await mkdir(half, { recursive: true, mode: 0o755 })
    await writeWhole(movingFile(layout), JSON.stringify(moving))
  }
  if (exists(half)) {
    for (const path of moving.kept) await move(layout, half, path)
    await giveAll(site, half)
    drop(layout.keptFile)
    throwAway(site.data, layout.kept)
    await rename(half, layout.kept)
  }
  const kept = { ...moving, print: await printOf(layout.kept) }
  await writeWhole(layout.keptFile, JSON.stringify(kept))
  throwAway(site.data, layout.setupTree)
  drop(movingFile(layout))
  return kept
}

/** What setup left at last; empty without setup. */
export function keptOf(site: Site, task: TaskPlace): readonly TreePath[] {
  const kept = readJson(layoutOf(site.data, task).keptFile, keptSchema)
  return (kept?.kept ?? []).map(textOf).sort()
}

/** Whether what setup left for these manifests is there as it was. */
export async function isIntact(site: Site, task: TaskPlace, key: string): Promise<boolean> {
  const layout = layoutOf(site.data, task)
  const kept = readJson(layout.keptFile, keptSchema)
  return kept?.key === key && exists(layout.kept) && (await printOf(layout.kept)) === kept.print
}

function movingFile(layout: TaskLayout): ReturnType<typeof at> {
  return at(layout.setups, 'moving.json')
}

/** Tells what is kept of what the setup box left from what is not. */
async function classify(site: Site, task: TaskPlace, layout: TaskLayout): Promise<Omit<Moving, 'key'>> {
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
  const refused = (path: RawPath): string | null => {
    const found = lookAt(layout.setupTree, path)
    // Also where a rule such as `node_modules/` does not mean it, being for folders alone.
    if (found === 'symlink') return 'a symlink: only real folders and files that git ignores can be mounted'
    if (found !== 'folder' && found !== 'file') return `a ${found}`
    const verdict = matcher.verdict(textOf(path), found === 'folder')
    return verdict.kind === 'deny' ? `denied by the policy's ${verdict.rule}` : null
  }
  const kept = ignored.filter((path) => refused(path) === null)
  const keep = new Set(kept)
  const covered = new Set(ignored)
  const dropped = [...new Set([...strange, ...changed, ...ignored])]
    .filter((path) => !keep.has(path))
    .sort()
    .slice(0, mostDropped)
    .map((path): LeftOut => {
      const why = refused(path)
      const isIgnored = covered.has(path) || why?.startsWith('a symlink') === true
      return { path: textOf(path), why: (isIgnored ? why : null) ?? 'git does not ignore it' }
    })
  return { kept, dropped }
}

async function baseRules(site: Site, task: TaskPlace): Promise<string> {
  const entries = await commitEntries(site, task, task.base.commit)
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
