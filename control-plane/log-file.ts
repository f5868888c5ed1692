import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import pino from 'pino'

/** What the log may take of the disk. */
export interface LogCap {
  /** Of one file; a line is never cut, so the last of a file may go over it. */
  readonly bytes: number
  /** With the one that is written to; at least one. */
  readonly files: number
}

/** What waits in memory while the disk takes nothing, bytes; later lines are dropped. */
const waitingBytes = 1024 * 1024

/**
 * A file for log lines that is moved to `<path>.1` when it is full, and that to `<path>.2`, up to the cap. Each line is on
 * its way to the disk when the call returns, and no fault of the disk is one of who logs.
 */
export function logDestination(path: string, cap: LogCap): pino.DestinationStream {
  let size = sizeOf(path)
  quietly(() => removeBeyond(path, cap.files))
  if (size >= cap.bytes) {
    quietly(() => moveOn(path, cap.files))
    size = 0
  }
  const file = pino.destination({ dest: path, mode: 0o600, sync: true, maxLength: waitingBytes })
  file.on('error', () => undefined)
  file.on('write', (bytes) => {
    size += bytes
    if (size < cap.bytes) return
    // Where that is not possible the file goes on, and it is tried again after as much again.
    size = 0
    quietly(() => {
      moveOn(path, cap.files)
      file.reopen()
    })
  })
  return file
}

function moveOn(path: string, files: number): void {
  const nameOf = (number: number): string => (number === 0 ? path : `${path}.${number}`)
  rmSync(nameOf(files - 1), { force: true })
  for (let number = files - 1; number > 0; number -= 1) {
    if (sizeOf(nameOf(number - 1)) > 0) renameSync(nameOf(number - 1), nameOf(number))
  }
}

/** Those of a time when there were more. */
function removeBeyond(path: string, files: number): void {
  const start = `${basename(path)}.`
  for (const name of readdirSync(dirname(path))) {
    const number = name.startsWith(start) ? Number(name.slice(start.length)) : 0
    if (number >= files) rmSync(join(dirname(path), name), { force: true })
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // A log line is never worth an error of what it tells about.
  }
}
