import { execFile } from 'node:child_process'
import { mkdir, readdir, readlink, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf, systemCodeOf } from '../../src/domain/failure.ts'
import { lockFolder, type Owner } from '../store/lock.ts'
import { isMountPoint } from './mount.ts'

/** What holds the lock of a folder lies in it. */
const lockFiles: readonly string[] = ['lock.db', 'owner.json', 'owner.json.new']

/** More than the owner of a lock takes. */
const probeBytes = 16_384

interface Whole<T> {
  /** Fills an empty folder of mode 0700. */
  readonly make: (folder: HostPath) => Promise<T>
  /** The file in it without which it is nothing. */
  readonly seal: string
}

/**
 * Makes a folder that is there as a whole or not at all: it is made beside its place, brought to the disk, and moved there
 * in one go. What a kill leaves beside it goes with the next try. A mount point cannot be moved to: there it is made within,
 * and its parts are moved up, last the one without which it is nothing. Where a link is, it is made where that leads. Rejects
 * with `Failure` where there is something already.
 */
export async function makeWhole<T>(named: HostPath, owner: Owner, { make, seal }: Whole<T>): Promise<T> {
  const place = await followed(named)
  const isMount = await isMountPoint(place)
  const half = (isMount ? join(place, '.half') : join(dirname(place), `.${basename(place)}.half`)) as HostPath
  await refuseFull(place, isMount ? [basename(half)] : [])
  await overDisk(place, () => begin(half))
  const lock = await overDisk(place, () => locked(half, place, owner))
  if (lock === null)
    throw new Failure('busy', `Another process is making ${place}: wait for it, or name another folder.`)
  try {
    await empty(half)
    const made = await overDisk(place, () => make(half))
    await overDisk(place, async () => {
      await promisify(execFile)('sync', ['--file-system', half])
      // Locked until it is in its place: another process takes a half that nobody holds for what a kill has left.
      await (isMount ? moveUp(half, place, seal) : moveTo(half, place))
      lock[Symbol.dispose]()
      for (const name of lockFiles) await rm(join(place, name), { force: true })
      await promisify(execFile)('sync', [isMount ? place : dirname(place)])
    })
    return made
  } catch (error) {
    lock[Symbol.dispose]()
    await rm(half, { recursive: true, force: true })
    throw error
  }
}

/** A data folder may be a link, to a larger disk for one; nothing can be moved over it. */
async function followed(place: HostPath): Promise<HostPath> {
  const isLink = await readlink(place).then(
    () => true,
    () => false,
  )
  if (!isLink) return place
  return await realpath(place).then(
    (path) => path as HostPath,
    (error: unknown) => {
      throw new Failure(
        'data_folder',
        `${place} is a link that leads to no folder (${messageOf(error)}): make that folder, or name another.`,
      )
    },
  )
}

async function refuseFull(place: HostPath, but: readonly string[]): Promise<void> {
  const names = await readdir(place).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw new Failure('data_folder', `${place} cannot be used (${messageOf(error)}): name another folder.`)
  })
  if (names.some((name) => !but.includes(name))) throw full(place)
}

function full(place: HostPath): Failure {
  return new Failure(
    'data_folder',
    `${place} is not empty, and nothing in it is overwritten: name another folder, or move it away.`,
  )
}

/** Takes what a killed process left only where it is sure to be of one. */
async function begin(half: HostPath): Promise<void> {
  await mkdir(half, { mode: 0o700 }).catch(async (error: unknown) => {
    if (systemCodeOf(error) !== 'EEXIST') throw error
    const names = await readdir(half)
    if (names.length > 0 && !names.includes('lock.db'))
      throw new Failure('data_folder', `${half} is in the way: move it away, then try again.`)
  })
}

async function locked(half: HostPath, place: HostPath, owner: Owner): Promise<ReturnType<typeof lockFolder>> {
  try {
    return lockFolder(half, owner)
  } catch (error) {
    try {
      // SQLite does not always say why it cannot open a file: the system does.
      await writeFile(join(half, 'probe'), Buffer.alloc(probeBytes))
    } finally {
      await rm(half, { recursive: true, force: true })
    }
    if (!(error instanceof Failure)) throw error
    // It speaks of a data folder and --data, and a person has named neither.
    const { cause } = error
    throw cause instanceof Error && 'syscall' in cause ? cause : notMade(place, cause)
  }
}

async function empty(half: HostPath): Promise<void> {
  for (const name of await readdir(half)) {
    if (!lockFiles.includes(name)) await rm(join(half, name), { recursive: true, force: true })
  }
}

async function moveTo(half: HostPath, place: HostPath): Promise<void> {
  try {
    await rmdir(place).catch((error: unknown) => {
      if (systemCodeOf(error) !== 'ENOENT') throw error
    })
    await rename(half, place)
  } catch (error) {
    throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCodeOf(error)) ? full(place) : error
  }
}

async function moveUp(half: HostPath, place: HostPath, seal: string): Promise<void> {
  const names = (await readdir(half)).toSorted((a, b) => Number(a === seal) - Number(b === seal))
  const moved: string[] = []
  try {
    for (const name of names) {
      await rename(join(half, name), join(place, name))
      moved.push(name)
    }
    await rmdir(half)
  } catch (error) {
    for (const name of moved) await rm(join(place, name), { recursive: true, force: true })
    throw error
  }
}

/** What the system says of a place becomes a sentence; `Failure`s and bugs pass. */
async function overDisk<T>(place: HostPath, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const code = systemCodeOf(error)
    if (error instanceof Failure && error.code === 'disk') throw noRoom(place, error)
    if (error instanceof Failure || !(error instanceof Error) || !('syscall' in error)) throw error
    if (['ENOSPC', 'EDQUOT'].includes(code)) throw noRoom(place, error)
    throw notMade(place, error)
  }
}

function notMade(place: HostPath, cause: unknown): Failure {
  return new Failure(
    'data_folder',
    `${place} cannot be made (${messageOf(cause)}), and nothing of it is left: mend that, or name another folder.`,
    { cause },
  )
}

function noRoom(place: HostPath, cause: unknown): Failure {
  return new Failure(
    'disk',
    `There is no room for ${place}, and nothing of it is left: free some space, or name a folder on another disk.`,
    { cause },
  )
}
