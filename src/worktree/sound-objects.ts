import type { Identity } from './git.ts'
import type { GitPlace } from './hardening.ts'
import { formatOf, objectId } from './objects.ts'
import type { Site } from './site.ts'

/** A repository, and whose rights git has there. */
export interface ObjectsPlace {
  readonly git: GitPlace
  readonly as: Identity | null
}

/** Read at once, bytes; a larger object is read alone. */
const atOnce = 16 * 1024 * 1024

export interface SoundObjects {
  /** The bodies of the commits among them, those whose bytes are what their ids say. */
  readonly commits: ReadonlyMap<string, Buffer>
  /** Whether all of them are there, and are what their ids say. */
  readonly sound: boolean
}

/** Reads objects by id. Git does not hold their bytes against their names when it reads them, so that is done here. */
export async function soundObjects(
  site: Site,
  { git, as }: ObjectsPlace,
  ids: readonly string[],
): Promise<SoundObjects> {
  const commits = new Map<string, Buffer>()
  if (ids.length === 0) return { commits, sound: true }
  let count = 0
  const ask = async (command: string, batch: readonly string[]): Promise<Buffer> => {
    if (batch.length === 0) return Buffer.alloc(0)
    return (await site.git.ask(git, ['cat-file', command], { as, input: `${batch.join('\n')}\n` })).out
  }
  const sizes = (await ask('--batch-check=%(objectname) %(objectsize)', ids)).toString('latin1')
  for (const batch of batchesOf(sizes)) {
    for (const { id, type, body } of objectsIn(await ask('--batch', batch))) {
      if (objectId(type, body, formatOf(id)) !== id) continue
      count += 1
      // A copy: the buffer that it lies in holds the whole batch.
      if (type === 'commit') commits.set(id, Buffer.from(body))
    }
  }
  return { commits, sound: count === ids.length }
}

function* batchesOf(sizes: string): Iterable<readonly string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const line of sizes.split('\n')) {
    const [, id, size] = /^([0-9a-f]+) (\d+)$/.exec(line) ?? []
    if (id === undefined) continue
    if (bytes + Number(size) > atOnce) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(id)
    bytes += Number(size)
  }
  yield batch
}

function* objectsIn(out: Buffer): Iterable<{ id: string; type: string; body: Buffer }> {
  for (let at = 0; at < out.length;) {
    const end = out.indexOf(10, at)
    if (end === -1) return
    const [, id, type, size] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(out.toString('latin1', at, end)) ?? []
    at = end + 1
    if (id === undefined || type === undefined) continue
    yield { id, type, body: out.subarray(at, at + Number(size)) }
    at += Number(size) + 1
  }
}
