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

/** Why no rule opens a host, to follow its name, and what to name in its place. */
export interface Barrier {
  readonly what: string
  readonly instead: string
}

/** `address` without brackets. */
export function reachOf(address: string): Reach {
  if (addressBarrier(address) !== null) return 'never'
  return isInside(ipaddr.parse(address)) ? 'inside' : 'public'
}

/** Null where a rule can open the address. */
export function addressBarrier(address: string): Barrier | null {
  // The library takes `127.1` for an address; whoever dials it may read another one.
  if (!written.safeParse(address).success) return barriers.unreadable
  const parsed = ipaddr.parse(address)
  if (metadata.has(parsed.toString()) || metadata.has(address)) return barriers.metadata
  if (isInside(parsed)) return null
  const range = parsed.range()
  if (range !== 'unicast') return byRange.get(range) ?? barriers.reserved
  // The library calls unicast what is in no range it knows, such as `::7f00:1`; only one eighth of IPv6 is given out.
  return parsed.kind() === 'ipv6' && !(parsed as ipaddr.IPv6).match(global6) ? barriers.reserved : null
}

function isInside(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return inside.some(
    ([range, bits]) => range.kind() === address.kind() && address.match([range, bits] as never),
  )
}

const another = 'name it by a public or a private address'
const barriers = {
  unreadable: {
    what: 'is no address that every program reads alike',
    instead: 'write all of it, such as "203.0.113.7" or "[2001:db8::7]"',
  },
  machine: {
    what: 'is this machine itself',
    instead: "let the service listen on this machine's address in its network, and name that",
  },
  metadata: {
    what: 'is a service that hands out what a cloud knows of this machine',
    instead: 'leave it out',
  },
  link: {
    what: "is on this machine's own links, where metadata services are",
    instead: another,
  },
  carrier: {
    what: "is in the carriers' range 100.64.0.0/10, where metadata services are too",
    instead: another,
  },
  many: { what: 'is no one machine but many', instead: 'name one machine' },
  within: { what: 'holds an IPv4 address within an IPv6 one', instead: 'name the IPv4 address itself' },
  reserved: { what: 'is in a range that is given to nobody', instead: another },
} as const satisfies Record<string, Barrier>

/** By the library's names of ranges. */
const byRange: ReadonlyMap<string, Barrier> = new Map<string, Barrier>([
  ['unspecified', barriers.machine],
  ['loopback', barriers.machine],
  ['linkLocal', barriers.link],
  ['carrierGradeNat', barriers.carrier],
  ['multicast', barriers.many],
  ['broadcast', barriers.many],
  ['ipv4Mapped', barriers.within],
  ['rfc6145', barriers.within],
  ['rfc6052', barriers.within],
  ['6to4', barriers.within],
  ['teredo', barriers.within],
])

const machineNames = [
  'localhost',
  'localhost.localdomain',
  'ip6-localhost',
  'ip6-loopback',
  'host.docker.internal',
  'gateway.docker.internal',
  'kubernetes.docker.internal',
  'host.containers.internal',
]
const metadataNames = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]

/** Why a canonical name is never opened, whatever it resolves to; names below a barred one are barred too. */
export function nameBarrier(name: string): Barrier | null {
  const among = (names: readonly string[]): boolean =>
    names.some((barred) => name === barred || name.endsWith(`.${barred}`))
  if (among(machineNames)) return barriers.machine
  return among(metadataNames) ? barriers.metadata : null
}

/** Whether an address, without brackets, is this machine's own and of no network. */
export function isLoopback(address: string): boolean {
  return written.safeParse(address).success && ipaddr.parse(address).range() === 'loopback'
}
