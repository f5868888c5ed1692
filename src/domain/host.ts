import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'

/** A host in its only spelling: what rules are compared with, and what is resolved and dialled. */
export type Host =
  /** Lower case, ASCII, no trailing dot. */
  | { readonly kind: 'name'; readonly host: string }
  /** `192.0.2.7`, or `[2001:db8::1]` with the brackets. */
  | { readonly kind: 'address'; readonly host: string }

/** A host and a port that a box asks for, in canonical spelling. */
export interface Target {
  readonly host: Host
  readonly port: number
}

/** One part of a host's name, lower case. */
const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/

/** The canonical host of a text, or null where it is none or is spelled in a way that programs read differently. */
export function canonicalHost(text: string): Host | null {
  if (text.startsWith('[')) return ipv6(text)
  // One dot at the end says that the name is complete, and is the same name.
  const plain = text.endsWith('.') ? text.slice(0, -1) : text
  if (plain === '' || plain.length > 253 || !/^[^\p{Cc}\p{Z}%:@/\\?#[\]]+$/u.test(plain)) return null
  const lower = plain.toLowerCase()
  const ascii = domainToASCII(lower)
  // What is ASCII already and still changes was an address in disguise (`0x7f.1`), or no valid IDNA.
  if (ascii === '' || (/^[\0-\x7f]*$/.test(lower) && ascii !== lower)) return null
  if (ipaddr.IPv4.isValidFourPartDecimal(ascii)) return { kind: 'address', host: ascii }
  const labels = ascii.split('.')
  const isName = ascii.length <= 253 && labels.every((each) => label.test(each))
  // A last label that is a number makes an address for some programs: decimal, octal, hex, or with fewer than four parts.
  return isName && !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? { kind: 'name', host: ascii } : null
}

/** Without zones, and without IPv4 inside: an address has one spelling and one meaning. */
function ipv6(text: string): Host | null {
  const inner = /^\[([0-9a-f:]{2,39})\]$/i.exec(text)?.[1]
  if (inner === undefined || !ipaddr.IPv6.isValid(inner)) return null
  const address = ipaddr.IPv6.parse(inner)
  return address.isIPv4MappedAddress() ? null : { kind: 'address', host: `[${address.toRFC5952String()}]` }
}

/** An address that a name led to, as a request has to spell it. */
export function addressHost(address: string): Host {
  const host = ipaddr.IPv6.isValid(address) ? `[${ipaddr.IPv6.parse(address).toRFC5952String()}]` : address
  return { kind: 'address', host }
}

/** The address without brackets, as it is dialled. */
export function bare(address: string): string {
  return address.startsWith('[') ? address.slice(1, -1) : address
}
