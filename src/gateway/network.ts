import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** All addresses of a name, in the order in which they are to be tried. Rejects where there are none. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** A connection to an address, connected already. Rejects; destroys what it began when the signal is aborted. */
export type Dial = (address: string, port: number, signal: AbortSignal) => Promise<Duplex>

export const resolveByMachine: Resolve = async (name) => {
  const found = await lookup(name, { all: true, order: 'ipv4first' })
  return found.map(({ address }) => address)
}

export const dialTcp: Dial = (address, port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, signal })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })

/** Rejects when it takes longer than so many ms, or when the signal is aborted; the promise itself goes on unheard. */
export function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} took too long`)), ms)
    const aborted = (): void => reject(new Error('the box is gone'))
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
    }
    promise.then(
      (value) => {
        over()
        resolve(value)
        return undefined
      },
      (error: unknown) => {
        over()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
