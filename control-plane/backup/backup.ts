import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackupReport } from '../../src/domain/backup.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { systemCodeOf } from '../../src/domain/failure.ts'
import { copyDatabase } from '../store/copy.ts'
import type { Head } from '../store/heads.ts'
import type { Owner } from '../store/lock.ts'
import { copied, databaseName, manifestName, mirrors, writtenManifest } from './contents.ts'
import { copyAny, copyTree } from './copy-tree.ts'
import { lostIn, type Missing } from './lost.ts'
import { makeWhole } from './whole.ts'

export interface BackupDeps {
  /** A data folder that is there. */
  readonly data: HostPath
  /** Where the private key is, where that is not in the data folder. */
  readonly attestationKey: HostPath | null
  readonly owner: Owner
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly missing: Missing
  /** On the disk of the data folder: objects of git, which never change, are linked in place of being copied. */
  readonly links?: boolean
}

/**
 * Copies what cannot be made again into a new folder, while others may be working on the data folder. First the database,
 * at one moment; what its commits need is in the mirrors by then, for a commit is made before it is on record. Where they have
 * lost commits it is made of what there is, and says so.
 */
export async function backUp(place: HostPath, deps: BackupDeps): Promise<BackupReport> {
  const { data, attestationKey, owner, clock, missing, links = false } = deps
  const fill = async (folder: HostPath): Promise<Omit<BackupReport, 'path' | 'notes'>> => {
    const at = clock()
    const database = join(folder, databaseName)
    const heads = await copyDatabase(join(data, databaseName), database)
    await chmod(database, 0o600)
    for (const name of copied) await copyAny(join(data, name), join(folder, name))
    await copyMirrors(join(data, mirrors), join(folder, mirrors), heads, links)
    const incomplete = await lostIn({ copy: folder, place, from: data, again: 'back up' }, heads, missing)
    const lacks = incomplete !== null
    const manifest = writtenManifest({
      format: 1,
      at,
      tasks: heads.length,
      ...(lacks ? { incomplete: true } : {}),
    })
    await writeFile(join(folder, manifestName), manifest, { mode: 0o600 })
    return { at, tasks: heads.length, ...(lacks ? { incomplete } : {}) }
  }
  const made = await makeWhole(place, owner, { make: fill, seal: manifestName })
  const notes =
    attestationKey === null
      ? []
      : [`The private key ${attestationKey} is not in it: keep a copy of that file too.`]
  return { path: place, ...made, notes }
}

/** Git's locks, and what it has not finished. */
const unfinished = /\.lock$|^tmp_|^incoming-/
/** Names of a mirror; its linked worktrees are made anew. First what names objects, then the objects, which only grow. */
const parts = [
  'HEAD',
  'config',
  'info',
  'shallow',
  'cofferdam-remote.json',
  'packed-refs',
  'refs',
  'objects',
] as const

async function copyMirrors(from: string, to: string, heads: readonly Head[], links: boolean): Promise<void> {
  await mkdir(to, { mode: 0o700 })
  // Not there before the first task; anything else that keeps it from being read would make a copy without commits.
  const names = await readdir(from).catch((error: unknown): string[] => {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw error
  })
  for (const name of names.filter((each) => each.endsWith('.git'))) {
    const mirror = join(to, name)
    await mkdir(mirror, { mode: (await stat(join(from, name))).mode & 0o777 })
    for (const part of parts) {
      if (part === 'refs' || part === 'objects' || part === 'info')
        await copyTree(join(from, name, part), join(mirror, part), {
          skips: (each) => unfinished.test(each),
          links: links && part === 'objects',
        })
      else await copyAny(join(from, name, part), join(mirror, part))
    }
    for (const head of heads) if (`${head.repository}.git` === name) await putBack(mirror, head)
  }
}

/** The branch of a task, where the database of the backup has it: the task may have gone on since that was copied. */
async function putBack(mirror: string, { branch, head, base }: Head): Promise<void> {
  const ref = join(mirror, 'refs/heads', branch)
  await rm(ref, { force: true })
  if (head === base) return
  await mkdir(dirname(ref), { recursive: true })
  await writeFile(ref, `${head}\n`, { mode: 0o600 })
}
