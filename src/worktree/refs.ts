import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CommitId, HostPath } from '../domain/brand.ts'
import { readText, writeWhole } from './files.ts'
import { at } from './layout.ts'

// Every ref of the mirror is ours and a file of its own, as nothing packs them; a task's calls come one after the other.
// So one is read and written without a process.

/** The commit that a ref of the mirror names; null where it is not there. */
export function readRef(mirror: HostPath, ref: string): string | null {
  return readText(at(mirror, ref))?.trim() ?? null
}

/** Moves a ref of the mirror to a commit that is on the disk. What is half written has the name of git's own locks. */
export async function writeRef(mirror: HostPath, ref: string, commit: CommitId): Promise<void> {
  const file = at(mirror, ref)
  mkdirSync(dirname(file), { recursive: true })
  await writeWhole(file, `${commit}\n`, `${file}.lock`)
}
