import type { TunnelRule } from './egress.ts'
import { canonicalHost } from './host.ts'
import { addressBarrier, type Barrier, nameBarrier } from './host-reach.ts'

/** Last parts of names that only a network of one's own gives out. */
const ownNetwork = /^(?:test|internal|local|lan|home)$/

/**
 * What is wrong with a host as a policy names it, to follow "The host …"; null where nothing is. `name`, `*.name`, an IPv4
 * address or an IPv6 address in brackets, each with `:port` where that is not 443, and in the one spelling that requests
 * are compared with: a gateway lets nothing at all pass where it cannot read a rule.
 */
export function hostProblem(text: string): string | null {
  const { host, port } = parts(text)
  if (port !== null && (port < 1 || port > 65_535)) return 'has no port from 1 to 65535'
  const wild = host.startsWith('*.')
  const name = wild ? host.slice(2) : host
  const barrier = barrierOf(name)
  if (barrier !== null) return `${barrier.what}, and no rule opens that for a box: ${barrier.instead}`
  const canonical = canonicalHost(name)
  if (canonical === null || (wild && canonical.kind === 'address'))
    return 'is not one such as "api.example.com", "*.example.com", "example.com:8443" or "[2001:db8::7]:8443"'
  if (canonical.host !== name)
    return `is not in the one spelling that is compared: write ${JSON.stringify(text.replace(name, canonical.host))}`
  if (canonical.kind === 'address' || name.includes('.')) return null
  if (!wild) return 'has only one part: name all of it, such as "api.example.com"'
  // `*.com` would be most of the world.
  return ownNetwork.test(name) ? null : 'leaves too much open: name at least two parts after "*."'
}

function barrierOf(name: string): Barrier | null {
  const looksLikeAddress = /^\[[0-9a-f:.]+\]$/i.test(name) || /^(?:\d{1,3}\.){3}\d{1,3}$/.test(name)
  return looksLikeAddress ? addressBarrier(name.replaceAll(/[[\]]/g, '')) : nameBarrier(name.toLowerCase())
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
