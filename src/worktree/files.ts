import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import type { z } from 'zod'
import type { HostPath } from '../domain/brand.ts'
import { Failure, systemCodeOf } from '../domain/failure.ts'

// What is small is done at once: waiting for another thread costs several times what the call does, and a step makes
// some hundred of them.

/** Whether an error is one of these of the system. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(systemCodeOf(error))
}

const mebibyte = 1024 * 1024
/** Above this nothing is read as a whole that another wrote, bytes. */
const mostRead = 16 * mebibyte

/**
 * What a plain file holds. A pipe, which somebody else may have put in its place, would hold up the whole process: what is no
 * plain file, or a very large one, is `Failure('repository')`. A link is followed.
 * @param most more than this is very large, bytes
 */
export function readPlain(path: string | Buffer, most: number = mostRead): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile() || stats.size > most)
      throw new Failure(
        'repository',
        `${path.toString()} is ${stats.isFile() ? `larger than ${most / mebibyte} MiB` : 'no plain file'}, which git does not make: see what did, and remove it.`,
      )
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Null where there is no such file. For small files. Throws as `readPlain` does. */
export function readText(path: HostPath): string | null {
  try {
    return readPlain(path).toString('utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/** A file that is there completely or not at all, whenever the process or the machine ends. */
export async function writeWhole(path: HostPath, content: string, half = `${path}.new`): Promise<void> {
  drop(half)
  await writeFile(half, content, { mode: 0o600, flush: true })
  renameSync(half, path)
}

/** The same for what is made anew when it is lost: after a power cut it may be another or empty. */
export function writeFleeting(path: HostPath, content: string, mode = 0o600): void {
  const half = `${path}.new`
  drop(half)
  writeFileSync(half, content, { mode })
  renameSync(half, path)
}

/** The content of a file of our own; null where it is missing or of another form. */
export function readJson<T>(path: HostPath, schema: z.ZodType<T>): T | null {
  const text = readText(path)
  if (text === null) return null
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

export function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** Removes a file. Fine where it is gone already. */
export function drop(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/**
 * A copy of an index with the times of the original: git tells by them which entries it must look at closely. The lock
 * of a git that was ended goes.
 */
export async function copyIndex(from: HostPath, to: HostPath): Promise<void> {
  drop(`${to}.lock`)
  drop(to)
  const { atime, mtime, size } = statSync(from)
  if (size < mebibyte) copyFileSync(from, to, constants.COPYFILE_FICLONE)
  else await copyFile(from, to, constants.COPYFILE_FICLONE)
  utimesSync(to, atime, mtime)
}
