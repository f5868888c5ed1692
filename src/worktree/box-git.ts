import { lchownSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { HostPath, TreeId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { copyLoose, takeOver } from './box-objects.ts'
import { isUntouched, recordAll, recordedSchema } from './box-record.ts'
import { copyIndex, drop, readJson, writeFleeting } from './files.ts'
import { fleeting } from './hardening.ts'
import { at, indexFile, layoutOf, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { gitConfig } from './dress.ts'
import { formatOf, writeCommit } from './objects.ts'
import { isForeign, type Site } from './site.ts'
import { removeFolder, throwAway } from './throw-away.ts'

// A box has a repository of its own, with one commit of what it may see. What it does there stays there: git on the
// host never reads it, and after a box that has touched it in any way it is made anew around its objects, as far as
// those are as they were.

const recordSchema = z.object({
  filtered: z.string().transform((text) => text as TreeId),
  all: z.array(recordedSchema),
})
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
  const record = readJson(recordFile, recordSchema)
  const untouched = record !== null && isUntouched(layout.boxGit, record.all)
  if (untouched && record.filtered === filtered) return
  drop(recordFile)
  const place = untouched ? layout.boxGit : at(layout.privateFolder, 'git.new')
  if (!untouched) {
    await removeFolder(place)
    layOut(site, place, task, filtered)
  }
  const kept = untouched || (record !== null && takeOver(layout.boxGit, place, record.all))
  await bringObjects(site, layout, place, filtered, kept ? record : null, memory.grown)
  await commitTo(site, task, place, filtered)
  await copyIndex(indexFile(layout, memory.state.generation), at(place, 'index'))
  if (isForeign(site)) give(place, site.user)
  if (!untouched) {
    throwAway(site.data, layout.boxGit)
    renameSync(place, layout.boxGit)
  }
  writeFleeting(recordFile, JSON.stringify({ filtered, all: recordAll(layout.boxGit) }))
}

function layOut(site: Site, folder: HostPath, task: TaskPlace, tree: TreeId): void {
  for (const name of ['objects/pack', 'refs/heads', 'info'])
    mkdirSync(`${folder}/${name}`, { recursive: true })
  const { name, email } = site.author
  const user = ['[user]', `\tname = ${quoted(name)}`, `\temail = ${quoted(email)}`]
  writeFileSync(`${folder}/config`, gitConfig(false, formatOf(tree), user))
  writeFileSync(`${folder}/HEAD`, 'ref: refs/heads/work\n')
  writeFileSync(`${folder}/description`, 'The private repository of a Cofferdam box\n')
  // Masks are no work of the agent: `git add -A` in the box shall not take them.
  const { deny, except } = task.policy
  writeFileSync(`${folder}/info/exclude`, [...deny, ...except.map((name) => `!${name}`), ''].join('\n'))
}

/** The only commit, on the branch that is checked out. */
async function commitTo(site: Site, task: TaskPlace, folder: HostPath, tree: TreeId): Promise<void> {
  const { author } = site
  const wanted = { tree, parent: null, author, at: site.clock(), message: 'What this box was given' }
  const commit = await writeCommit(at(folder, 'objects'), task.id, wanted, false)
  writeFileSync(`${folder}/refs/heads/work`, `${commit}\n`)
}

/** Brings the objects of a tree that are not there; `record` says what is, and is null where nothing can be relied on. */
async function bringObjects(
  site: Site,
  layout: TaskLayout,
  folder: HostPath,
  filtered: TreeId,
  record: BoxRecord | null,
  grown: Memory['grown'],
): Promise<void> {
  const objects = at(folder, 'objects')
  if (record !== null) {
    if (record.filtered === filtered) return
    const known = grown?.from === record.filtered && grown.to === filtered
    if (known && copyLoose(at(layout.mirror, 'objects'), objects, grown.objects)) return
    // It fails where git no longer knows what was there before.
    if (await pack(site, layout, objects, `${filtered}\n^${record.filtered}\n`)) return
  }
  await removeFolder(objects)
  mkdirSync(`${objects}/pack`, { recursive: true })
  await site.git.run({ gitDir: layout.gitDir }, packArgs(objects), {
    input: `${filtered}\n`,
    config: fleeting,
  })
}

async function pack(site: Site, layout: TaskLayout, objects: HostPath, wanted: string): Promise<boolean> {
  const options = { input: wanted, config: fleeting }
  return (await site.git.ask({ gitDir: layout.gitDir }, packArgs(objects), options)).code === 0
}

function packArgs(objects: HostPath): readonly string[] {
  return ['pack-objects', '-q', '--revs', '--window=0', '--compression=1', `${objects}/pack/pack`]
}

/** The repository is fresh and small: a few folders and files, written by us alone. */
function give(folder: HostPath, user: Site['user']): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    lchownSync(`${entry.parentPath}/${entry.name}`, user.uid, user.gid)
  lchownSync(folder, user.uid, user.gid)
}

/** A value in git's configuration syntax. */
function quoted(value: string): string {
  const plain = value.replaceAll(/\p{Cc}/gu, ' ')
  return `"${plain.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`
}
