import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { detach } from '../../domain/box.ts'
import type { Exit } from './calls.ts'
import type { Api } from './connect.ts'
import { kill } from './containers.ts'
import type { Cause } from './end.ts'

export interface Watched {
  readonly id: string
  readonly stream: Readable
  readonly exit: Exit
  /** How long it may still run, ms. */
  readonly timeLeft: number
  readonly guards: readonly Guard[]
}

/** Looks after one limit: resolves to the cause for which the box is to be ended, rejects when `over`. */
export type Guard = (over: AbortSignal) => Promise<Cause>

// How long an end may take once it was asked for, ms; and the last of the output once the end is known.
const killPatience = 10_000
const drainPatience = 5000

/**
 * Watches a running box until it ends, by itself or by us. Never rejects for what the engine does; rejects with the
 * signal's reason when that is `detach`.
 */
export async function watch(api: Api, watched: Watched, signal: AbortSignal): Promise<Cause> {
  const { id, stream, exit, timeLeft, guards } = watched
  const over = new AbortController()
  try {
    let cause = await Promise.race([
      exit.done.then((how): Cause => (how === 'exited' ? 'exit' : 'lost')),
      aborted(signal, over.signal),
      after(timeLeft, over.signal),
      ...guards.map((guard) => guard(over.signal)),
    ])
    if (cause === 'lost') return cause
    if (cause !== 'exit') {
      const killed = await kill(api, id).catch(() => true)
      // One that cannot be killed is left to its removal, which says so.
      const ended = await Promise.race([
        exit.done,
        sleep(killPatience, 'stuck' as const, { signal: over.signal }),
      ])
      if (ended === 'lost') return 'lost'
      // A process that was suspended finds its timer and the box's own end at once.
      if (cause === 'time' && !killed) cause = 'exit'
    }
    await drained(stream, drainPatience)
    return cause
  } finally {
    over.abort()
    exit.stop()
    stream.destroy()
  }
}

/** Resolves when a stream has given all it has, or after `patience` ms. */
export async function drained(stream: Readable, patience: number): Promise<void> {
  if (stream.closed || stream.readableEnded) return
  const over = new AbortController()
  const ended = new Promise<void>((resolve) => stream.once('close', resolve).once('end', resolve))
  await Promise.race([ended, sleep(patience, undefined, { signal: over.signal })])
  over.abort()
}

async function aborted(signal: AbortSignal, over: AbortSignal): Promise<Cause> {
  await abortOf(signal, over)
  throwIfDetached(signal)
  return 'killed'
}

/** Resolves when the signal comes, or has come; listens no more when `over`. */
export async function abortOf(signal: AbortSignal, over: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true, signal: over }))
}

/** Rejects where the box is to be left to the next process. */
export function throwIfDetached(signal: AbortSignal): void {
  if (signal.reason === detach) signal.throwIfAborted()
}

async function after(ms: number, over: AbortSignal): Promise<Cause> {
  return sleep(Math.max(0, ms), 'time' as const, { signal: over })
}
