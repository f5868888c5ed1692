import type { Leak } from '../../src/domain/gateway.ts'

/** What a program may make of a secret on its way: the name of each spelling, the spelling, and what it is found as. */
export function encoded(secret: string): readonly (readonly [string, string, Leak['encoding']])[] {
  const bytes = Buffer.from(secret)
  const base64At = (offset: number): string =>
    Buffer.concat([Buffer.alloc(offset, 'x'), bytes]).toString('base64')
  // Only what depends on the secret alone; what stands around it takes part in the outer characters.
  const inner = (offset: number): string =>
    base64At(offset).slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  return [
    ['raw', secret, 'raw'],
    ['url', encodeURIComponent(secret), 'url'],
    ['url in lower case', encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()), 'url'],
    ['json', JSON.stringify(secret).slice(1, -1), 'json'],
    ['hex', bytes.toString('hex'), 'hex'],
    ['HEX', bytes.toString('hex').toUpperCase(), 'hex'],
    ...[0, 1, 2].map((offset) => [`base64 at ${offset}`, inner(offset), 'base64'] as const),
    ...[0, 1, 2].map(
      (offset) =>
        [
          `base64url at ${offset}`,
          inner(offset).replaceAll('+', '-').replaceAll('/', '_'),
          'base64',
        ] as const,
    ),
  ]
}
