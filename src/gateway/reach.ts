import type { Duplex } from 'node:stream'
import { messageOf } from '../domain/failure.ts'
import { addressHost, bare, type Target } from '../domain/host.ts'
import type { GatewayLimits } from './limits.ts'
import { type Dial, type Resolve, within } from './network.ts'
import { newTaskReaching } from './next-step.ts'
import { addressBarrier, reachOf } from '../domain/host-reach.ts'
import { denied, failed, type Refusal } from './refusal.ts'

export interface Network {
  readonly resolve: Resolve
  readonly dial: Dial
  readonly limits: GatewayLimits
}

/** Addresses of a name that are tried before it counts as not to be reached. */
const tries = 3

/**
 * Resolves once. Every answer has to be one that may be dialled: a name that also answers with an address inside is on its
 * way to being rebound.
 */
export async function addressesOf(
  target: Target,
  inside: boolean,
  { resolve, limits }: Network,
  signal: AbortSignal,
): Promise<readonly string[] | Refusal> {
  const { host } = target
  if (host.kind === 'address') return vetted(target, [bare(host.host)], inside)
  try {
    const found = await within(resolve(host.host), limits.resolveMs, signal, 'the name')
    return vetted(target, found, inside)
  } catch (error) {
    return failed('not found', `${host.host} could not be resolved: ${messageOf(error)}.`)
  }
}

function vetted(
  { host, port }: Target,
  found: readonly string[],
  inside: boolean,
): readonly string[] | Refusal {
  const addresses = [...new Set(found)]
  if (addresses.length === 0) return failed('not found', `${host.host} has no address.`)
  for (const address of addresses) {
    const barrier = addressBarrier(address)
    if (barrier !== null)
      return denied(
        'always blocked',
        `${host.host} leads to ${address}, which ${barrier.what}, and no rule opens that: ${barrier.instead}.`,
      )
  }
  const inner = addresses.find((address) => reachOf(address) === 'inside')
  if (inner !== undefined && !inside) {
    const itself = { host: addressHost(inner), port }
    return denied(
      'not public',
      `${host.host} leads to ${inner}, which is no public address, and no name opens one. To reach it, have the agent ask for ${itself.host.host}:${port} in place of the name, and ${newTaskReaching(itself)}.`,
    )
  }
  return addresses.slice(0, tries)
}

/** One connection to one of these addresses; `dials` is asked before each, and nothing is dialled when it says no. */
export async function dialFirst(
  addresses: readonly string[],
  port: number,
  { dial, limits }: Pick<Network, 'dial' | 'limits'>,
  signal: AbortSignal,
  dials: (address: string) => boolean,
): Promise<Duplex | Refusal> {
  let last: Refusal = failed('not reached', 'There is no address.')
  for (const address of addresses) {
    if (!dials(address)) return notRecorded
    const attempt = new AbortController()
    const abort = (): void => attempt.abort()
    const timer = setTimeout(abort, limits.dialMs)
    signal.addEventListener('abort', abort, { once: true })
    try {
      if (signal.aborted) abort()
      return watched(await dial(address, port, attempt.signal), signal, abort)
    } catch (error) {
      signal.removeEventListener('abort', abort)
      const why = attempt.signal.aborted && !signal.aborted ? 'it took too long' : messageOf(error)
      last = failed('not reached', `${address} could not be reached: ${why}.`)
      if (signal.aborted) return last
    } finally {
      clearTimeout(timer)
    }
  }
  return last
}

/** A connection outside ends with the box's; an error on it is an end. */
function watched(outside: Duplex, signal: AbortSignal, abort: () => void): Duplex {
  const destroy = (): void => void outside.destroy()
  outside.on('error', destroy)
  signal.removeEventListener('abort', abort)
  signal.addEventListener('abort', destroy, { once: true })
  outside.once('close', () => signal.removeEventListener('abort', destroy))
  if (signal.aborted) outside.destroy()
  return outside
}

export const notRecorded = failed('no record', 'It could not be recorded, so it does not pass.', 503)
