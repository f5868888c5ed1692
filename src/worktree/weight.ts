import { lstatSync } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { pace } from './pace.ts'
import { diskPath, shown, type RawPath } from './raw.ts'

/**
 * Refuses to read more than a worktree may hold: files with holes are next to nothing on the disk, and as long as they say
 * to whoever reads them. None of them is that long alone. `mostMb` is in MiB.
 */
export async function refuseTooMuch(
  root: HostPath,
  paths: readonly RawPath[],
  mostMb: number,
): Promise<void> {
  const slices = pace()
  let bytes = 0
  let longest = { path: '' as RawPath, size: 0 }
  for (const path of paths) {
    const stats = lstatSync(diskPath(root, path), { throwIfNoEntry: false })
    if (stats?.isFile() === true) {
      bytes += stats.size
      if (stats.size > longest.size) longest = { path, size: stats.size }
    }
    if (bytes > mostMb * 1024 * 1024)
      throw new Failure(
        'worktree',
        `The step's changed files are longer than ${mostMb} MiB together, ${shown(longest.path)} the longest of them, which is more than a worktree may hold: they are dropped. Have it clean up after itself, or raise the limit worktreeMb.`,
      )
    if (slices.due()) await slices.rest()
  }
}
