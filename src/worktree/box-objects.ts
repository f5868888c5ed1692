import { copyFileSync, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { isFolderAt, isUntouched, type Recorded } from './box-record.ts'
import { exists } from './files.ts'
import { at } from './layout.ts'
import { looseFile } from './objects.ts'

// The objects of a box's private repository outlive a box as far as it has left them as they were.

// From so many files on, all is packed into one.
const mostFiles = 500
// Larger ones are packed, which does not stop everything else meanwhile.
const mostBytes = 1024 * 1024

/** Moves the recorded objects of one repository into another; false where a box has touched one or took our rights. */
export function takeOver(from: HostPath, to: HostPath, recorded: readonly Recorded[]): boolean {
  const objects = recorded.filter(({ name, folder }) => !folder && name.startsWith('objects/'))
  if (objects.length === 0 || objects.length > mostFiles) return false
  const folders = new Set(objects.map(({ name }) => dirname(name)))
  const places = [from, at(from, 'objects'), ...[...folders].map((folder) => at(from, folder))]
  if (!places.every(isFolderAt) || !isUntouched(from, objects)) return false
  try {
    for (const folder of folders) mkdirSync(at(to, folder), { recursive: true })
    for (const { name } of objects) renameSync(at(from, name), at(to, name))
  } catch {
    return false
  }
  return true
}

/** Copies objects that are few, small and in no pack; false where one is not, and then what was copied does no harm. */
export function copyLoose(from: HostPath, to: HostPath, ids: readonly string[]): boolean {
  if (ids.length > mostFiles) return false
  for (const id of ids) {
    const name = looseFile(id)
    const found = lstatSync(at(from, name), { throwIfNoEntry: false })
    if (found === undefined || found.size > mostBytes) return false
    if (exists(at(to, name))) continue
    mkdirSync(dirname(at(to, name)), { recursive: true })
    copyFileSync(at(from, name), at(to, name))
  }
  return true
}
