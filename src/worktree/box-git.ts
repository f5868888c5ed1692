import { chown, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { HostPath, TreeId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { copyIndex, readJson, removeFolder, writeWhole } from './files.ts'
import { fleeting } from './hardening.ts'
import { at, indexFile, layoutOf, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { gitConfig, objectFormat } from './mirror.ts'
import { isForeign, type Site } from './site.ts'

// A box has a repository of its own, with one commit of what it may see. What it does there stays there: git on the
// host never reads it, and after the box it is made anew around the packs of objects, as far as those are untouched.

const packSchema = z.object({ name: z.string(), ino: z.number(), size: z.number(), ctimeMs: z.number() })
const recordSchema = z.object({
  filtered: z.string(),
  /** The only commit of the private repository. */
  commit: z.string(),
  packs: z.array(packSchema),
})
type Pack = z.infer<typeof packSchema>
type BoxRecord = z.infer<typeof recordSchema>

/** Makes the private repository hold `filtered` and nothing else, with a clean index. */
export async function resetBoxGit(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  filtered: TreeId,
): Promise<void> {
  const layout = layoutOf(site.data, task)
  const recordFile = at(layout.privateFolder, 'git.json')
  const record = await readJson(recordFile, recordSchema)
  if (!memory.boxGitTouched && record?.filtered === filtered) return
  await rm(recordFile, { force: true })
  const fresh = at(layout.privateFolder, 'git.new')
  await removeFolder(fresh)
  await layOut(site, fresh, layout, task)
  const next = await fill(site, layout, fresh, filtered, record)
  await writeFile(`${fresh}/refs/heads/work`, `${next.commit}\n`)
  await copyIndex(indexFile(layout, memory.state.generation), at(fresh, 'index'))
  if (isForeign(site)) await give(fresh, site.user)
  await removeFolder(layout.boxGit)
  await rename(fresh, layout.boxGit)
  const packs = await packsIn(at(layout.boxGit, 'objects/pack'))
  await writeWhole(recordFile, JSON.stringify({ ...next, packs }))
  memory.boxGitTouched = false
}

async function layOut(site: Site, folder: HostPath, layout: TaskLayout, task: TaskPlace): Promise<void> {
  for (const name of ['objects/pack', 'objects/info', 'refs/heads', 'refs/tags', 'info'])
    await mkdir(`${folder}/${name}`, { recursive: true })
  const { name, email } = site.author
  const user = ['[user]', `\tname = ${quoted(name)}`, `\temail = ${quoted(email)}`]
  await writeFile(`${folder}/config`, gitConfig(false, await objectFormat(layout.mirror), user))
  await writeFile(`${folder}/HEAD`, 'ref: refs/heads/work\n')
  await writeFile(`${folder}/description`, 'The private repository of a Cofferdam box\n')
  // Masks are no work of the agent: `git add -A` in the box shall not take them.
  const { deny, except } = task.policy
  await writeFile(`${folder}/info/exclude`, [...deny, ...except.map((name) => `!${name}`), ''].join('\n'))
}

/** Brings the objects: packs that no box has touched are taken over, and only what is new is packed. */
async function fill(
  site: Site,
  layout: TaskLayout,
  fresh: HostPath,
  filtered: TreeId,
  record: BoxRecord | null,
): Promise<Omit<BoxRecord, 'packs'>> {
  const kept = record !== null && (await takeOver(layout, fresh, record.packs))
  if (kept && record.filtered === filtered) return { filtered, commit: record.commit }
  const place = { gitDir: layout.gitDir }
  const message = 'What this box was given'
  const commit = await site.git.line(place, ['commit-tree', '-m', message, filtered])
  if (!(kept && (await pack(site, layout, fresh, `${commit}\n^${record.commit}\n`)))) {
    await removeFolder(at(fresh, 'objects/pack'))
    await mkdir(`${fresh}/objects/pack`)
    const args = packArgs(fresh)
    await site.git.run(place, args, { input: `${commit}\n`, config: fleeting })
  }
  return { filtered, commit }
}

/** False where git no longer knows what was packed before. */
async function pack(site: Site, layout: TaskLayout, fresh: HostPath, wanted: string): Promise<boolean> {
  const answer = await site.git.ask({ gitDir: layout.gitDir }, packArgs(fresh), {
    input: wanted,
    config: fleeting,
  })
  return answer.code === 0
}

function packArgs(fresh: HostPath): readonly string[] {
  return ['pack-objects', '-q', '--revs', '--window=0', '--compression=1', `${fresh}/objects/pack/pack`]
}

/** Moves the recorded packs into the fresh repository; all or none. */
async function takeOver(layout: TaskLayout, fresh: HostPath, packs: readonly Pack[]): Promise<boolean> {
  const from = at(layout.boxGit, 'objects/pack')
  for (const folder of [layout.boxGit, at(layout.boxGit, 'objects'), from])
    if (!(await isRealFolder(folder))) return false
  const now = new Map((await packsIn(from)).map((pack) => [pack.name, pack]))
  for (const pack of packs) {
    const found = now.get(pack.name)
    if (found?.ino !== pack.ino || found.size !== pack.size || found.ctimeMs !== pack.ctimeMs) return false
  }
  try {
    for (const { name } of packs) await rename(`${from}/${name}`, `${fresh}/objects/pack/${name}`)
  } catch {
    // The box took our rights to the folder; then all is packed again.
    return false
  }
  return packs.length > 0
}

async function isRealFolder(path: HostPath): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

async function packsIn(folder: HostPath): Promise<readonly Pack[]> {
  const packs: Pack[] = []
  for (const name of await readdir(folder)) {
    const stats = await lstat(`${folder}/${name}`)
    if (stats.isFile()) packs.push({ name, ino: stats.ino, size: stats.size, ctimeMs: stats.ctimeMs })
  }
  return packs
}

/** The repository is fresh and small: a few folders and packs, written by us alone. */
async function give(folder: HostPath, user: Site['user']): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chown(`${entry.parentPath}/${entry.name}`, user.uid, user.gid)
  await chown(folder, user.uid, user.gid)
}

/** A value in git's configuration syntax. */
function quoted(value: string): string {
  const plain = value.replaceAll(/\p{Cc}/gu, ' ')
  return `"${plain.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`
}
