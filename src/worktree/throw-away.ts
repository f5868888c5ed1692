import { spawn } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { exists } from './files.ts'

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

/** Removes what is small without a process; false where it is not, or cannot be removed so. Nothing is followed. */
function removeSmall(path: HostPath): boolean {
  let left = mostAtOnce
  const { dev } = lstatSync(path)
  const remove = (place: string, folder: boolean): boolean => {
    left -= 1
    if (left < 0) return false
    if (!folder) {
      unlinkSync(place)
      return true
    }
    if (lstatSync(place).dev !== dev) return false
    for (const entry of readdirSync(place, { withFileTypes: true }))
      if (!remove(`${place}/${entry.name}`, entry.isDirectory())) return false
    rmdirSync(place)
    return true
  }
  try {
    return remove(path, lstatSync(path).isDirectory())
  } catch {
    return false
  }
}
