import { spawn } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { inFolder } from './anchor.ts'
import { exists } from './files.ts'
import { diskPath, rawFrom, type RawPath } from './raw.ts'

// A box may have left folders without rights, names that are no UTF-8, nesting deeper than a path may be long: `rm`
// copes with all but the first. Nothing is followed.
const removal =
  'rm -rf --one-file-system -- "$1" || { chmod -R u+rwX -- "$1"; rm -rf --one-file-system -- "$1"; }'

/** Removes a file or a folder of ours. Fine where it is gone already. */
export async function removeFolder(path: HostPath): Promise<void> {
  if (!exists(path) || removeSmall(path)) return
  const child = spawn('sh', ['-c', removal, 'sh', path], { stdio: 'ignore' })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0)
    throw new Failure('worktree', `${path} cannot be removed: remove it by hand, then try again.`)
}

/**
 * Takes a folder of ours away at once. Emptying it can take a minute where it is large, so that goes on by itself, also
 * after our end; what is left of it then is a sweep's.
 */
export function throwAway(data: HostPath, path: HostPath): void {
  if (!exists(path)) return
  const place = freshTrash(data)
  // Without this right a folder cannot be moved.
  chmodSync(path, 0o700)
  renameSync(path, `${place}/folder`)
  removeMeanwhile(place)
}

/** A new folder for what is to be removed; handed to `removeMeanwhile` when all is in it. */
export function freshTrash(data: HostPath): HostPath {
  const trash = trashOf(data)
  mkdirSync(trash, { recursive: true, mode: 0o700 })
  return mkdtempSync(`${trash}/`) as HostPath
}

export function removeMeanwhile(path: HostPath): void {
  if (removeSmall(path)) return
  const child = spawn('sh', ['-c', removal, 'sh', path], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

export function trashOf(data: HostPath): HostPath {
  return `${data}/trash` as HostPath
}

// Files and folders; starting a process takes as long as removing some hundred.
const mostAtOnce = 200

/**
 * Removes what is small without a process; false where it is not, or cannot be removed so. Every folder is held open while it
 * is emptied, so nothing is followed, even where a process that still stands in one of them swaps what is in it.
 */
function removeSmall(path: HostPath): boolean {
  let left = mostAtOnce
  const { dev } = lstatSync(path)
  const empty = (at: HostPath): boolean => {
    if (statSync(`${at}/.`).dev !== dev) return false
    for (const name of readdirSync(at, { encoding: 'latin1' })) {
      left -= 1
      if (left < 0 || !remove(at, name as RawPath)) return false
    }
    return true
  }
  const remove = (at: HostPath, name: RawPath): boolean => {
    const place = diskPath(at, name)
    if (!lstatSync(place).isDirectory()) {
      unlinkSync(place)
      return true
    }
    // The folder itself, which may be known by a link of the system's, and no link is opened.
    if (inFolder(`${at}/.` as HostPath, name, empty) !== true) return false
    rmdirSync(place)
    return true
  }
  try {
    return remove(dirname(path) as HostPath, rawFrom(basename(path)))
  } catch {
    return false
  }
}
