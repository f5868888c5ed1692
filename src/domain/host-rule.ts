import type { TunnelRule } from './egress.ts'
import { isBlockedName, reachOf } from './host-reach.ts'

/** One part of a host's name, lower case. */
export const hostLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
/** Last parts of names that only a network of one's own gives out. */
const ownNetwork = /^(?:test|internal|local|lan|home)$/
const address = /^(?:\d{1,3}\.){3}\d{1,3}$/

const notForBoxes =
  'is this machine, its links or a metadata service, or no address at all: no rule opens it for a box'

/**
 * What is wrong with a host as a policy names it, to follow "The host …"; null where nothing is. `name`, `*.name`, an IPv4
 * address or an IPv6 address in brackets, each with `:port` where that is not 443. Names in ASCII, lower case.
 */
export function hostProblem(text: string): string | null {
  const { host, port } = parts(text)
  if (port !== null && (port < 1 || port > 65_535)) return 'has no port from 1 to 65535'
  if (address.test(host) || /^\[[0-9a-f:.]+\]$/.test(host))
    return reachOf(host.replaceAll(/[[\]]/g, '')) === 'never' ? notForBoxes : null
  if (isBlockedName(host.replace(/^\*\./, ''))) return notForBoxes
  const wild = host.startsWith('*.')
  const labels = (wild ? host.slice(2) : host).split('.')
  const last = labels.at(-1) ?? ''
  if (host.length > 253 || !labels.every((each) => hostLabel.test(each)) || (labels.length < 2 && !wild))
    return 'is not one such as "api.example.com", "*.example.com" or "example.com:8443", in lower case'
  // `*.com` would be most of the world.
  if (labels.length < 2 && !ownNetwork.test(last))
    return 'leaves too much open: name at least two parts after "*."'
  // Many programs read a name that ends in a number as an address.
  return /^\d+$/.test(last) ? 'ends in a number, which no name does' : null
}

/** The rule that a host of a policy stands for; `hostProblem` has found nothing wrong with it. */
export function tunnelRule(text: string, why: string): TunnelRule {
  const { host, port } = parts(text)
  return { host, ports: [port ?? 443], inside: false, why }
}

function parts(text: string): { readonly host: string; readonly port: number | null } {
  const match = /^(.*?)(?::(\d{1,6}))?$/s.exec(text)
  const host = match?.[1] ?? text
  return { host, port: match?.[2] === undefined ? null : Number(match[2]) }
}
