import { isLoopback, nameBarrier, reachOf } from '../domain/host-reach.ts'
import type { WebhookNetwork } from '../domain/outbox/webhook.ts'

/** Addresses that may be connected to, or a sentence about why there are none. */
export type Vetted = { readonly addresses: readonly string[] } | { readonly refused: string }

/**
 * Whether a host that has these addresses may be told anything. All of them have to be of the network that is allowed: one
 * that also has another is on its way to being rebound.
 */
export function vet(host: string, found: readonly string[], network: WebhookNetwork): Vetted {
  const addresses = [...new Set(found)]
  if (addresses.length === 0) return { refused: `${host} has no address.` }
  const barrier = network === 'loopback' ? null : nameBarrier(host.replace(/\.$/, ''))
  if (barrier !== null) return { refused: `${host} ${barrier.what}: ${wayOut}` }
  const wrong = addresses.find((address) => !allowed(address, network))
  if (wrong === undefined) return { addresses }
  return { refused: `${host} leads to ${wrong}, which is ${kindOf(wrong)}: ${wayOut}` }
}

const wayOut = 'name another host, or allow such addresses with "network" of the webhook.'

function allowed(address: string, network: WebhookNetwork): boolean {
  if (network === 'loopback') return isLoopback(address)
  const reach = reachOf(address)
  return reach === 'public' || (network === 'private' && reach === 'inside')
}

function kindOf(address: string): string {
  if (isLoopback(address)) return 'this machine'
  const reach = reachOf(address)
  return reach === 'public'
    ? 'not this machine'
    : reach === 'inside'
      ? 'a private address'
      : 'no address for webhooks'
}
