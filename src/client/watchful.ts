import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from './client.ts'
import { type ChunkReader, type FetchLike, Unreachable } from './fetch.ts'

export interface Patience {
  /** How long an answer is awaited before the other end is asked whether it is there, and how long that may take, ms. */
  readonly pingMs: number
  /** So many of these questions in a row may go unanswered. */
  readonly pings: number
}

/** 15 s without a word. */
export const patience: Patience = { pingMs: 5000, pings: 2 }

/**
 * Answers may take as long as they take, while the other end answers pings. A process that is suspended still takes
 * connections, and says nothing: that is `Unreachable`, as if it had gone.
 */
export function watchful(fetch: FetchLike, limits: Patience): FetchLike {
  const awaited = <T>(work: Promise<T>): Promise<T> => whileAnswering(work, fetch, limits)
  const reading = (reader: ChunkReader): ChunkReader => ({
    read: () => awaited(reader.read()),
    cancel: () => reader.cancel(),
  })
  return async (path, call) => {
    const answer = await awaited(fetch(path, call))
    const { status, body } = answer
    return {
      status,
      body: body && { getReader: () => reading(body.getReader()) },
      text: () => awaited(answer.text()),
    }
  }
}

async function whileAnswering<T>(work: Promise<T>, fetch: FetchLike, limits: Patience): Promise<T> {
  const done = new AbortController()
  try {
    return await Promise.race([work, silence(fetch, limits, done.signal)])
  } finally {
    done.abort()
  }
}

/** Rejects when pings go unanswered. They are counted, not timed: this process may have been suspended itself. */
async function silence(fetch: FetchLike, { pingMs, pings }: Patience, done: AbortSignal): Promise<never> {
  const client = createClient(fetch)
  await sleep(pingMs, undefined, { signal: done })
  for (let unanswered = 0; unanswered < pings;) {
    const answered = client.ping(AbortSignal.any([done, AbortSignal.timeout(pingMs)])).then(
      () => true,
      () => false,
    )
    // At an even pace, whether it is answered, refused or neither.
    const [heard] = await Promise.all([answered, sleep(pingMs, undefined, { signal: done })])
    unanswered = heard ? 0 : unanswered + 1
  }
  throw new Unreachable(true, new Error('It does not answer any more.'))
}
