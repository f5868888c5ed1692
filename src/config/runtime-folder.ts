import { chmod, lstat, mkdir } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { Failure, messageOf } from '../domain/failure.ts'

/** Makes the folder for sockets, mode 0700; refuses one that somebody else could have put there. */
export async function openRuntimeFolder(path: HostPath, uid: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const found = await lstat(path)
    if (!found.isDirectory() || found.uid !== uid) throw new Error(`it is no folder of user ${uid}`)
    await chmod(path, 0o700)
  } catch (error) {
    throw new Failure(
      'bad_config',
      `The folder ${path} for sockets cannot be used (${messageOf(error)}): ` +
        'name another one as "runtime" in the configuration or in COFFERDAM_RUNTIME.',
    )
  }
}
