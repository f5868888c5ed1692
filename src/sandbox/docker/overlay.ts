import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BoxSpec } from '../../domain/box.ts'
import { Failure, messageOf } from '../../domain/failure.ts'

/**
 * A copy-on-write view over folders, the first on top: mount options for the engine. `folder` is the box's own scratch
 * place; upper and work folder are fresh in it, as two mounts over the same would not be refused.
 */
export async function overlayOptions(
  lowers: readonly string[],
  folder: string,
  user: BoxSpec['user'],
): Promise<string> {
  const [upper, work] = [join(folder, 'upper'), join(folder, 'work')]
  await mkdir(work, { recursive: true })
  await mkdir(upper)
  // The view's own folder is the upper one: the box must be able to write in it, as in the lower.
  await chmod(upper, (await stat(lowers[0] ?? upper)).mode & 0o777)
  if (process.getuid?.() === 0) await chown(upper, user.uid, user.gid)
  const option = (name: string, paths: readonly string[]): string => `${name}=${paths.map(escaped).join(':')}`
  // With redirects a lower folder could be renamed, and what is mounted in it would be left behind.
  return [
    option('lowerdir', lowers),
    option('upperdir', [upper]),
    option('workdir', [work]),
    'redirect_dir=off',
  ].join(',')
}

/** The same content without overlays, for a disk that refuses them: a copy. Returns its folder. */
export async function copyOf(lowers: readonly string[], folder: string): Promise<string> {
  const copy = join(folder, 'copy')
  await mkdir(copy, { recursive: true })
  for (const lower of lowers.toReversed()) {
    try {
      await promisify(execFile)('cp', ['-a', '--reflink=auto', '--', `${lower}/.`, copy])
    } catch (cause) {
      throw new Failure('disk', `The tree of a box could not be copied to ${copy}: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
  return copy
}

function escaped(path: string): string {
  return path.replaceAll(/[\\:,]/g, String.raw`\$&`)
}
