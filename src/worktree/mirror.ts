import { readdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import type { CommitId, HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import { isByName } from '../domain/remote.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { dress } from './dress.ts'
import { exists } from './files.ts'
import { farEnd, type Setting } from './hardening.ts'
import { at, mirrorOf, mirrorsOf } from './layout.ts'
import { linkObjects } from './link-objects.ts'
import { formatOf, looseFile, type ObjectFormat } from './objects.ts'
import { readRef, writeRef } from './refs.ts'
import { folderOf, refuseOther } from './same-source.ts'
import type { Site } from './site.ts'
import { asRepository, sourceOf, type Source } from './source.ts'
import { removeFolder } from './throw-away.ts'

const hour = 3_600_000

/** A ref of ours in the mirror. */
function baseRef(id: TaskId): string {
  return `refs/cofferdam/${id}/base`
}

/**
 * Makes sure that the mirror is there and holds the task's base commit on a ref of its own. Answers which folder had that
 * commit just now, in the words of `folderOf`; null where nothing had to be brought from it.
 */
export function ensureMirror(site: Site, task: TaskPlace): Promise<string | null> {
  return site.serial(`mirror ${task.repository.key}`, async () => {
    const mirror = mirrorOf(site.data, task.repository.key)
    const ref = baseRef(task.id)
    const { commit } = task.base
    if (readRef(mirror, ref) === commit) return null
    if (isHeld(mirror, commit)) {
      await writeRef(mirror, ref, commit)
      return null
    }
    if (isByName(task.repository.path)) {
      await bringBack(site, task, mirror)
      await writeRef(mirror, ref, commit)
      return null
    }
    const source = await sourceOf(task, site.self)
    const folder = folderOf(source)
    await asRepository(source, async () => {
      const whole = !exists(mirror) && (await make(site, source, mirror, formatOf(commit)))
      if (whole && (await keep(site, mirror, ref, commit))) return
      try {
        await fetchCommit(site, source, mirror, `+${commit}:${ref}`)
      } catch (error) {
        await refuseOther(site, task, source)
        throw error
      }
    })
    return folder
  })
}

/** The mirror of a repository by URL is there before its first task is; it may be lost since. */
async function bringBack(site: Site, { repository, base }: TaskPlace, mirror: HostPath): Promise<void> {
  const { path, key } = repository
  const lost = (why: string): Failure =>
    new Failure('repository', `${path} ${why}: discard the task, and make another.`)
  if (!exists(mirror)) {
    if (site.remotes.key(path) !== key)
      throw lost('has another URL in the configuration than when this task was made, and its mirror is gone')
    await site.remotes.refresh(path, 'whole')
  }
  const { code } = await site.git.ask({ gitDir: mirror }, ['cat-file', '-e', `${base.commit}^{commit}`])
  if (code !== 0) throw lost(`has no commit ${base.commit.slice(0, 10)} any more, at which this task begins`)
}

// To read more refs than this takes as long as to ask git.
const mostRefs = 500

/** Whether another task of the mirror has the same base, and with it all that it consists of. */
function isHeld(mirror: HostPath, commit: CommitId): boolean {
  const tasks = at(mirror, 'refs/cofferdam')
  if (!exists(tasks)) return false
  return readdirSync(tasks)
    .slice(0, mostRefs)
    .some((id) => readRef(mirror, `refs/cofferdam/${id}/base`) === commit)
}

/** Puts a commit of a new mirror on a ref; false where the mirror does not have it. */
async function keep(site: Site, mirror: HostPath, ref: string, commit: CommitId): Promise<boolean> {
  if (!exists(at(mirror, `objects/${looseFile(commit)}`)))
    return (await site.git.ask({ gitDir: mirror }, ['update-ref', ref, commit])).code === 0
  await writeRef(mirror, ref, commit)
  return true
}

/**
 * True where the new mirror has all objects of the source, hardlinked. Another user's repository is fetched from, as
 * only its owner may read it; a shallow one too, as git cannot link those.
 */
async function make(site: Site, source: Source, mirror: HostPath, format: ObjectFormat): Promise<boolean> {
  await mkdir(mirrorsOf(site.data), { recursive: true, mode: 0o700 })
  const half = `${mirror}.new` as HostPath
  await removeFolder(half)
  const ours = source.owner === null && !source.shallow
  const linked = ours && linkObjects(at(source.commonDir, 'objects'), at(half, 'objects'))
  if (!linked) await removeFolder(half)
  const cloned = linked || (ours && (await clone(site, source, half)))
  if (!cloned) {
    await removeFolder(half)
    await site.git.run(null, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, half])
  }
  await clear(half, format)
  await rename(half, mirror)
  return cloned
}

async function clone(site: Site, source: Source, half: HostPath): Promise<boolean> {
  // `--dissociate`: what the source borrows from elsewhere is copied, so that the mirror stands alone.
  const args = ['clone', '--quiet', '--bare', '--local', '--dissociate', '--no-tags', '--template=']
  const options = { env: { GIT_ALLOW_PROTOCOL: 'file' }, timeoutMs: 2 * hour }
  const end = [`--upload-pack=${farEnd('upload-pack', null, reading)}`, '--', source.commonDir, half]
  // Where objects of the source may not be linked (protected_hardlinks), they are copied.
  for (const extra of [[], ['--no-hardlinks']]) {
    const answer = await site.git.ask(null, [...args, ...extra, ...end], options)
    if (answer.code === 0) return true
    await removeFolder(half)
    if (!/create link/.test(answer.err)) return false
  }
  return false
}

const reading: readonly Setting[] = [['uploadpack.allowAnySHA1InWant', 'true']]

/** Brings a commit from a user's repository onto a ref of the mirror. */
export async function fetchCommit(
  site: Site,
  source: Source,
  mirror: HostPath,
  refspec: string,
): Promise<void> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--update-shallow',
  ]
  await site.git.run(
    { gitDir: mirror },
    [
      ...args,
      '--no-recurse-submodules',
      `--upload-pack=${farEnd('upload-pack', source.owner, reading)}`,
      '--',
      source.commonDir,
      refspec,
    ],
    {
      env: { GIT_ALLOW_PROTOCOL: 'file' },
      // A linked object is not checked either: what is old and odd in a user's history stays usable.
      config: [['fetch.fsckObjects', 'false']],
      timeoutMs: 2 * hour,
    },
  )
}

/** Leaves objects only: the source's refs are not ours, and its names must not meet ours later. */
async function clear(mirror: HostPath, format: string): Promise<void> {
  for (const name of await readdir(mirror))
    if (name !== 'objects' && name !== 'shallow')
      await rm(`${mirror}/${name}`, { recursive: true, force: true })
  await dress(mirror, format)
}
