import type { Millis } from '../../domain/brand.ts'
import type { Seen } from './compare.ts'
import type { Api } from './connect.ts'
import { signalled } from './end.ts'

/**
 * Whether a box was ended from outside: by an engine that shuts down, or by a person. Its own program may exit with the
 * same codes, so the engine is asked for the signals that it sent; one that no longer answers has gone itself.
 */
export async function endedFromOutside(
  { docker, ask }: Api,
  seen: Seen,
  startedAt: Millis,
  now: Millis,
): Promise<boolean> {
  if (!signalled.has(seen.State.ExitCode) || seen.State.OOMKilled) return false
  try {
    const stream = await ask('tell what happened to a box', () =>
      docker.getEvents({
        since: Math.floor(startedAt / 1000),
        until: Math.ceil(now / 1000),
        filters: JSON.stringify({ container: [seen.Id], event: ['kill'] }),
      }),
    )
    let told = ''
    for await (const chunk of stream) told += String(chunk)
    return told.trim() !== ''
  } catch {
    return true
  }
}
