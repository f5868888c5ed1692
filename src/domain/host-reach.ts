import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/**
 * What an address is for a box. `public`: anybody may be there. `inside`: private and documentation ranges, reached only
 * where a rule says so. `never`: the host itself, its links, metadata services, carriers' networks, multicast, ways to
 * write one address inside another, and whatever is not known to be one of the others.
 */
export type Reach = 'public' | 'inside' | 'never'

/** Services of clouds that hand out credentials, at addresses whose range alone would not tell. */
const metadata = new Set(['168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'])

const inside4 = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
]
const inside6 = ['fc00::/7', '2001:db8::/32', '3fff::/20']
const inside = [...inside4, ...inside6].map((cidr) => ipaddr.parseCIDR(cidr))
const global6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** As every program reads it: no zone, no part left out, nothing in octal. */
const written = z.union([z.ipv4(), z.ipv6()])

/** `address` without brackets. */
export function reachOf(address: string): Reach {
  // The library takes `127.1` for an address; whoever dials it may read another one.
  if (!written.safeParse(address).success) return 'never'
  const parsed = ipaddr.parse(address)
  if (metadata.has(parsed.toString()) || metadata.has(address)) return 'never'
  if (inside.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match([range, bits] as never)))
    return 'inside'
  // The library calls unicast what is in no range it knows, such as `::7f00:1`; only one eighth of IPv6 is given out.
  if (parsed.kind() === 'ipv6' && !(parsed as ipaddr.IPv6).match(global6)) return 'never'
  return parsed.range() === 'unicast' ? 'public' : 'never'
}

const blockedNames = [
  'localhost',
  'localhost.localdomain',
  'ip6-localhost',
  'ip6-loopback',
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'host.docker.internal',
  'gateway.docker.internal',
  'kubernetes.docker.internal',
  'host.containers.internal',
]

/** Whether a canonical name stands for this machine or a metadata service, whatever it resolves to; names below it too. */
export function isBlockedName(name: string): boolean {
  return blockedNames.some((blocked) => name === blocked || name.endsWith(`.${blocked}`))
}

/** Whether an address, without brackets, is this machine's own and of no network. */
export function isLoopback(address: string): boolean {
  return written.safeParse(address).success && ipaddr.parse(address).range() === 'loopback'
}
