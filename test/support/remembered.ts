import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { keptFolder } from './template.ts'

// What many tests begin with is made once: where a folder holds what it held when that was made, it is given what it held after.

interface Outcome {
  readonly folder: string
  readonly value: unknown
}

const outcomes = new Map<string, Outcome>()

/**
 * Does to a folder what `make` does, and answers what that answers: by a copy of what came of it where that was done before, under
 * the same key, to a folder at the same path with the same content. Nothing but the folder may depend on it.
 */
export async function remembered<T>(key: string, folder: string, make: () => Promise<T>): Promise<T> {
  const name = createHash('sha256')
    .update(`${key}\0${folder}\0${contentOf(folder)}`)
    .digest('hex')
  const known = outcomes.get(name)
  if (known !== undefined) {
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true })
    copyWhole(known.folder, folder)
    return known.value as T
  }
  const value = await make()
  const copy = join(keptFolder(), `remembered-${outcomes.size}`)
  mkdirSync(copy)
  copyWhole(folder, copy)
  outcomes.set(name, { folder: copy, value })
  return value
}

/** A hash over all names, modes, owners and contents. */
function contentOf(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'latin1' }).sort()) {
    const path = Buffer.from(`${Buffer.from(folder).toString('latin1')}/${name}`, 'latin1')
    const stats = lstatSync(path)
    hash.update(`\0${name}\0${stats.mode} ${stats.uid} ${stats.gid} ${stats.size}\0`)
    if (stats.isFile()) hash.update(readFileSync(path))
    else if (stats.isSymbolicLink()) hash.update(readlinkSync(path))
  }
  return hash.digest('hex')
}

/** What lies in one folder to another, with owners, times and hard links. */
function copyWhole(from: string, to: string): void {
  const linked = new Map<number, string>()
  const copyIn = (at: string): void => {
    for (const entry of readdirSync(join(from, at), { withFileTypes: true })) {
      const path = join(at, entry.name)
      const [old, young] = [join(from, path), join(to, path)]
      const stats = lstatSync(old)
      const { ino, nlink, mode, uid, gid, atime, mtime } = stats
      const same = nlink > 1 ? linked.get(ino) : undefined
      if (stats.isSymbolicLink()) {
        symlinkSync(readlinkSync(old), young)
        lchownSync(young, uid, gid)
        lutimesSync(young, atime, mtime)
        continue
      }
      if (stats.isDirectory()) {
        mkdirSync(young)
        copyIn(path)
      } else if (same === undefined) {
        if (!stats.isFile()) throw new Error(`not to be copied: ${old}`)
        copyFileSync(old, young)
        linked.set(ino, young)
      } else {
        linkSync(same, young)
        continue
      }
      chownSync(young, uid, gid)
      chmodSync(young, mode)
      utimesSync(young, atime, mtime)
    }
  }
  copyIn('')
}
