import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const manifestSchema = z.object({ name: z.literal('cofferdam'), version: z.string() })

/**
 * `0.1.0 (1a2b3c4)`: the version of package.json, and the short commit that this was built of, with `-dirty` where files had been
 * changed since; the version alone where whoever built it said no commit.
 * @param from a folder of the project, of the sources or of what was built of them
 */
export function versionOf(from: string = import.meta.dirname): string {
  for (let root = from; root !== dirname(root); root = dirname(root)) {
    const manifest = join(root, 'package.json')
    if (!existsSync(manifest)) continue
    const { version } = manifestSchema.parse(JSON.parse(readFileSync(manifest, 'utf8')))
    const stamp = join(root, 'dist', '.commit')
    const commit = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : ''
    return commit === '' ? version : `${version} (${commit})`
  }
  return 'unknown'
}
