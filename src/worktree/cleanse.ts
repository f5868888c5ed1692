import { basename, dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { changeMode, inFolder } from './anchor.ts'
import { diskPath, type RawPath } from './raw.ts'
import { removeAll } from './remove.ts'
import type { Walked } from './seen.ts'

/** Takes away what no commit can hold and no next box should meet: fifos, sockets, devices, set-id bits. */
export async function cleanse(data: HostPath, root: HostPath, disk: Walked): Promise<void> {
  await removeAll(
    data,
    root,
    disk.specials.map(({ path }) => path),
  )
  for (const path of disk.setId)
    inFolder(root, dirname(path), (at) =>
      changeMode(diskPath(at, basename(path) as RawPath), ({ mode }) => mode & 0o777),
    )
}
