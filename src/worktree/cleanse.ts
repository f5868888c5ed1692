import { chmodSync, lstatSync } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { diskPath } from './raw.ts'
import { removeAll } from './remove.ts'
import type { Walked } from './seen.ts'

/** Takes away what no commit can hold and no next box should meet: fifos, sockets, devices, set-id bits. */
export async function cleanse(root: HostPath, disk: Walked): Promise<void> {
  await removeAll(
    root,
    disk.specials.map(({ path }) => path),
  )
  for (const path of disk.setId) {
    const place = diskPath(root, path)
    const stats = lstatSync(place, { throwIfNoEntry: false })
    if (stats !== undefined && !stats.isSymbolicLink()) chmodSync(place, stats.mode & 0o777)
  }
}
