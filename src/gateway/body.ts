import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { Hit, KnownSecrets } from '../domain/leak.ts'
import type { Flow } from './traffic.ts'
import type { Filter } from './upstreams/upstream.ts'

/** Why a body did not come through. */
export class Cut extends Error {
  readonly why: 'leak' | 'limit' | 'gone'
  readonly hit: Hit | null
  constructor(why: 'leak' | 'limit' | 'gone', hit: Hit | null = null) {
    super(why)
    this.why = why
    this.hit = hit
  }
}

/** Sends a request's body out as it comes; no byte of a secret goes out, and one that is found rejects with `Cut`. */
export async function sendGuarded(
  from: Readable,
  to: Writable,
  known: KnownSecrets,
  flow: Flow,
  idleMs: number,
): Promise<void> {
  const found: Hit[] = []
  const redactor = known.redactor((hit) => found.push(hit))
  const pass = async (bytes: Buffer): Promise<void> => {
    if (found[0] !== undefined) throw new Cut('leak', found[0])
    await write(to, bytes)
  }
  for await (const chunk of chunksOf(from, idleMs)) {
    if (!flow.sends(chunk.length)) throw new Cut('limit')
    await pass(redactor.push(chunk))
  }
  await pass(redactor.end())
  to.end()
}

/**
 * Hands an answer's body to the box as it comes, with the secrets replaced. `see` gets each chunk before the box does, and
 * whole; the box gets what `filter` leaves.
 * Rejects with `Cut` when the box is gone or has had its share.
 */
export async function receiveRedacted(
  from: Readable,
  to: Writable,
  known: KnownSecrets,
  flow: Flow,
  onHit: (hit: Hit) => void,
  see: (chunk: Buffer) => void = () => undefined,
  filter: Filter = { push: (chunk) => chunk, end: () => Buffer.alloc(0) },
): Promise<void> {
  const redactor = known.redactor(onHit)
  for await (const chunk of from as AsyncIterable<Buffer>) {
    see(chunk)
    if (!flow.gets(chunk.length)) throw new Cut('limit')
    await write(to, redactor.push(filter.push(chunk)))
  }
  await write(to, redactor.push(filter.end()))
  await write(to, redactor.end())
  to.end()
}

/**
 * The chunks of a request's body; ends the request where none comes for so long while one is awaited. How long its consumer
 * takes does not count: that is the far end's slowness, not the box's. Whoever stops early can still answer.
 */
export async function* chunksOf(from: Readable, idleMs: number): AsyncGenerator<Buffer, void> {
  const awaited = (): NodeJS.Timeout => setTimeout(() => from.destroy(new Cut('gone')), idleMs)
  let timer = awaited()
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      clearTimeout(timer)
      yield chunk
      timer = awaited()
    }
  } finally {
    clearTimeout(timer)
  }
}

async function write(to: Writable, bytes: Buffer): Promise<void> {
  if (to.destroyed) throw new Cut('gone')
  if (bytes.length === 0 || to.write(bytes)) return
  const gone = new AbortController()
  const closed = (): void => gone.abort()
  to.once('close', closed)
  try {
    await once(to, 'drain', { signal: gone.signal })
  } catch {
    throw new Cut('gone')
  } finally {
    to.off('close', closed)
  }
}
