import type { Git, GitOptions } from './git.ts'
import type { GitPlace } from './hardening.ts'

/** The contents of blobs, by id; one process for all. Missing ones are left out. */
export async function readBlobs(
  git: Git,
  place: GitPlace,
  ids: readonly string[],
  options: GitOptions = {},
): Promise<ReadonlyMap<string, Buffer>> {
  if (ids.length === 0) return new Map()
  const input = `${[...new Set(ids)].join('\n')}\n`
  return parseBatch(await git.run(place, ['cat-file', '--batch'], { ...options, input }))
}

/** `<id> blob <size>\n<content>\n`, or `<id> missing\n`, one after the other. */
function parseBatch(out: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>()
  let start = 0
  while (start < out.length) {
    const line = out.indexOf('\n', start)
    if (line === -1) break
    const [id = '', , size] = out.toString('latin1', start, line).split(' ')
    start = line + 1
    if (size === undefined) continue
    const end = start + Number(size)
    found.set(id, out.subarray(start, end))
    start = end + 1
  }
  return found
}
