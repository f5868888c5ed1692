import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough, pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import { pack } from 'tar-fs'
import type { ImageInputs } from './inputs.ts'

/** Writes the build context into a folder: the files of sandbox-image, and what was fetched as `local/`. Returns it. */
export async function layOutContext(inputs: ImageInputs, local: string, folder: string): Promise<string> {
  const context = join(folder, 'context')
  await mkdir(join(context, 'authorities'), { recursive: true })
  for (const { path, text, executable } of inputs.files) {
    const target = join(context, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text, { mode: executable ? 0o755 : 0o644 })
  }
  await rename(local, join(context, 'local'))
  return context
}

/** The context as the engine wants it. Owners, modes and times are the same on every machine, so that layers are. */
export function packContext(context: string, epoch: number): Readable {
  const tar = pack(context, {
    map: (header) => ({
      ...header,
      uid: 0,
      gid: 0,
      mtime: new Date(epoch * 1000),
      mode: header.type === 'directory' || (header.mode & 0o100) !== 0 ? 0o755 : 0o644,
    }),
  })
  return readable(tar)
}

/** A folder as the engine wants it, with the modes that it has here. */
export function packAsItIs(folder: string): Readable {
  return readable(pack(folder))
}

function readable(tar: ReturnType<typeof pack>): Readable {
  // The request reads it and sees an error by its end; nothing is left to do here.
  return pipeline(tar, new PassThrough(), () => undefined)
}
