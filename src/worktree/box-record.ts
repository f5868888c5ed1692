import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { z } from 'zod'
import type { HostPath } from '../domain/brand.ts'
import { at } from './layout.ts'

/** A file or folder as we left it. A folder's time of change tells of every name that came or went in it. */
export const recordedSchema = z.object({
  /** Its path in the repository; '' is the repository itself. */
  name: z.string(),
  folder: z.boolean(),
  ino: z.number(),
  size: z.number(),
  ctimeMs: z.number(),
  uid: z.number(),
})
export type Recorded = z.infer<typeof recordedSchema>

/** All of a small folder that no box has had since it was written. */
export function recordAll(root: HostPath): readonly Recorded[] {
  const below = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return ['', ...below].map((name) => recorded(name, lstatSync(at(root, name))))
}

/** Whether nothing of what was recorded was written, replaced, moved or removed: a time of change cannot be put back. */
export function isUntouched(root: HostPath, all: readonly Recorded[]): boolean {
  return all.every((one) => {
    const stats = statOf(at(root, one.name))
    if (stats === null) return false
    const now = recorded(one.name, stats)
    return (
      now.folder === one.folder &&
      now.ino === one.ino &&
      now.size === one.size &&
      now.ctimeMs === one.ctimeMs &&
      now.uid === one.uid
    )
  })
}

export function isFolderAt(path: HostPath): boolean {
  return statOf(path)?.isDirectory() === true
}

function recorded(name: string, stats: Stats): Recorded {
  const { ino, size, ctimeMs, uid } = stats
  return { name, folder: stats.isDirectory(), ino, size, ctimeMs, uid }
}

/** Null where nothing is there, or a box took our rights to look. */
function statOf(path: HostPath): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}
