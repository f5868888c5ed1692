import { statfs } from 'node:fs/promises'
import type { Engine } from '../src/domain/box.ts'
import { deferred } from '../src/domain/deferred.ts'
import type { DiscordState } from '../src/domain/discord.ts'
import { Failure } from '../src/domain/failure.ts'
import type { AccessStore } from './store/access.ts'

export interface ReadyDeps {
  readonly store: { readonly access: AccessStore }
  readonly engine: Pick<Engine, 'describe'>
  readonly data: string
  readonly diskFreeMb: number
  readonly clock: () => number
  /** Front ends that keep a connection. */
  readonly connections?: () => readonly DiscordState[]
}

/** An engine that takes longer does not answer, ms. */
const engineMs = 5000
/** What was found counts for so long, ms: anybody may ask, and it costs a write. */
const freshMs = 2000

/**
 * Looks whether tasks can be taken and worked on. Throws `Failure('busy')` where they cannot; anybody may read the sentence,
 * so it tells nothing about this machine.
 */
export function readiness({
  store,
  engine,
  data,
  diskFreeMb,
  clock,
  connections = () => [],
}: ReadyDeps): () => Promise<void> {
  let last: { readonly at: number; readonly found: Promise<void> } | null = null
  const look = async (): Promise<void> => {
    const checks = await Promise.allSettled([
      Promise.resolve().then(() => store.access.probe(clock())),
      within(engine.describe(), engineMs),
      refuseFull(data, diskFreeMb),
      Promise.resolve().then(() => refuseLost(connections(), clock())),
    ])
    const names = [
      'The database cannot be written.',
      'The engine does not answer.',
      'The disk is full.',
      'Discord is not connected.',
    ]
    const missing = names.filter((_, index) => checks[index]?.status === 'rejected')
    if (missing.length > 0)
      throw new Failure('busy', `${missing.join(' ')} \`cofferdam doctor\` on the server says more.`)
  }
  return () => {
    if (last === null || clock() - last.at >= freshMs) last = { at: clock(), found: look() }
    return last.found
  }
}

/** A connection that is lost comes back by itself, as a rule. */
const lostMs = 2 * 60_000

function refuseLost(connections: readonly DiscordState[], now: number): void {
  const lost = connections.some(
    ({ state, since }) => state === 'refused' || (state !== 'ready' && now - since > lostMs),
  )
  if (lost) throw new Error('lost')
}

async function refuseFull(data: string, diskFreeMb: number): Promise<void> {
  const { bavail, bsize } = await statfs(data)
  if (bavail * bsize < diskFreeMb * 1024 * 1024) throw new Error('full')
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = deferred<never>()
  const timer = setTimeout(() => reject(new Error('late')), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
