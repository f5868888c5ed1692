import { isLoopback, nameBarrier, reachOf } from './host-reach.ts'

/**
 * Where the control plane itself may connect to, as the operator says of each place: to public addresses only, to private
 * ones too, or to this machine alone, and then without TLS where the address says so.
 */
export const outsideNetworks = ['public', 'private', 'loopback'] as const
export type OutsideNetwork = (typeof outsideNetworks)[number]

/** Addresses that may be connected to, or a sentence about why there are none. */
export type Vetted = { readonly addresses: readonly string[] } | { readonly refused: string }

/**
 * Whether a host that has these addresses may be told anything. All of them have to be of the network that is allowed: one
 * that also has another is on its way to being rebound.
 * @param what it is configured for, such as "webhook"
 */
export function vet(host: string, found: readonly string[], network: OutsideNetwork, what: string): Vetted {
  const addresses = [...new Set(found)]
  const wayOut = `name another host, or allow such addresses with "network" of the ${what}.`
  if (addresses.length === 0) return { refused: `${host} has no address.` }
  const barrier = network === 'loopback' ? null : nameBarrier(host.replace(/\.$/, ''))
  if (barrier !== null) return { refused: `${host} ${barrier.what}: ${wayOut}` }
  const wrong = addresses.find((address) => !allowed(address, network))
  if (wrong === undefined) return { addresses }
  return { refused: `${host} leads to ${wrong}, which is ${kindOf(wrong, what)}: ${wayOut}` }
}

/** What the parser of addresses leaves without letters or with colons is an address. `host`: without brackets. */
export function isAddress(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host)
}

function allowed(address: string, network: OutsideNetwork): boolean {
  if (network === 'loopback') return isLoopback(address)
  const reach = reachOf(address)
  return reach === 'public' || (network === 'private' && reach === 'inside')
}

function kindOf(address: string, what: string): string {
  if (isLoopback(address)) return 'this machine'
  const reach = reachOf(address)
  return reach === 'public'
    ? 'not this machine'
    : reach === 'inside'
      ? 'a private address'
      : `no address for ${what}s`
}

/** What to do about a certificate that is not believed. */
export const believeIt =
  'Where it is from an authority of your own, name that in NODE_EXTRA_CA_CERTS and start Cofferdam anew.'
