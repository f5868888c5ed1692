import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import type { z } from 'zod'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'

/** Whether an error is one of these of the system. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  )
}

/** Null where there is no such file. */
export async function readText(path: HostPath): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/** A file that is there completely or not at all, whenever the process is killed. */
export async function writeWhole(path: HostPath, content: string, mode = 0o600): Promise<void> {
  const half = `${path}.new`
  await rm(half, { force: true })
  await writeFile(half, content, { mode, flush: true })
  await rename(half, path)
}

/** The content of a file of our own; null where it is missing or of another form. */
export async function readJson<T>(path: HostPath, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readText(path)
  if (text === null) return null
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/**
 * A copy of an index with the times of the original: git tells by them which entries it must look at closely. The lock
 * of a git that was ended goes.
 */
export async function copyIndex(from: HostPath, to: HostPath): Promise<void> {
  await rm(`${to}.lock`, { force: true })
  await rm(to, { force: true })
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  const { atime, mtime } = await stat(from)
  await utimes(to, atime, mtime)
}

// A box may have left folders without rights, names that are no UTF-8, nesting deeper than a path may be long: `rm`
// copes with all but the first. Nothing is followed.
const removal =
  'rm -rf --one-file-system -- "$1" || { chmod -R u+rwX -- "$1"; rm -rf --one-file-system -- "$1"; }'

/** Removes a folder of ours. Fine where it is gone already. */
export async function removeFolder(path: HostPath): Promise<void> {
  if (!(await exists(path))) return
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
export async function throwAway(data: HostPath, path: HostPath): Promise<void> {
  if (!(await exists(path))) return
  const trash = trashOf(data)
  await mkdir(trash, { recursive: true, mode: 0o700 })
  const place = (await mkdtemp(`${trash}/`)) as HostPath
  // Without this right a folder cannot be moved.
  await chmod(path, 0o700)
  await rename(path, `${place}/folder`)
  removeMeanwhile(place)
}

export function removeMeanwhile(path: HostPath): void {
  const child = spawn('sh', ['-c', removal, 'sh', path], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

export function trashOf(data: HostPath): HostPath {
  return `${data}/trash` as HostPath
}
