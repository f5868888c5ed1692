import type { OutgoingHttpHeaders } from 'node:http'
import type { Hit, KnownSecrets } from '../domain/leak.ts'

/** Of one connection alone (RFC 9110, 7.6.1), with the old ones that proxies made up. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
])

/**
 * The headers that go on: those of the whole way, without `dropped` (lower case) and without those that `Connection` names.
 * `rawHeaders` are names and values in turn, as Node gives them; repeated ones stay repeated.
 */
export function passedOn(
  rawHeaders: readonly string[],
  dropped: readonly string[],
  each: (value: string) => string = (value) => value,
): OutgoingHttpHeaders {
  const pairs = pairsOf(rawHeaders)
  const named = pairs
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim())
  const left = new Set([...hopByHop, ...named, ...dropped])
  const headers = new Map<string, string[]>()
  for (const [name, value] of pairs)
    if (!left.has(name)) headers.set(name, [...(headers.get(name) ?? []), each(value)])
  return Object.fromEntries(
    [...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  )
}

/** Names in lower case. */
export function pairsOf(rawHeaders: readonly string[]): readonly (readonly [string, string])[] {
  return rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ''] as const] : [],
  )
}

// Node reads and writes heads as Latin-1, so that one character is one byte, whatever the bytes mean.

/** The first secret in what a request line asks for, or in a header. */
export function leakInHead(asked: string, rawHeaders: readonly string[], known: KnownSecrets): Hit | null {
  return known.findIn(Buffer.from([asked, ...rawHeaders].join('\n'), 'latin1'))
}

/** A header's value with the secrets replaced. */
export function withoutSecrets(value: string, known: KnownSecrets, onHit: (hit: Hit) => void): string {
  return known.redactBytes(Buffer.from(value, 'latin1'), onHit).toString('latin1')
}
