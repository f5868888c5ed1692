import type { Leak } from './gateway.ts'

export interface RevealedSecret {
  /** Shown to people in the place of the value. */
  readonly name: string
  readonly value: string
}

/** Characters that a value needs to be searched for. */
const shortestSecret = 8

interface Pattern {
  readonly secret: string
  readonly encoding: Leak['encoding']
  readonly bytes: Buffer
}

/** Every spelling of every secret that is searched for, each once; the plainest encoding gives its name. */
export function patternsOf(secrets: readonly RevealedSecret[]): readonly Pattern[] {
  const patterns = new Map<string, Pattern>()
  for (const { name, value } of secrets) {
    if (value.length < shortestSecret) continue
    for (const [encoding, spelling] of spellingsOf(value)) {
      const bytes = Buffer.from(spelling)
      const key = bytes.toString('latin1')
      if (!patterns.has(key)) patterns.set(key, { secret: name, encoding, bytes })
    }
  }
  return [...patterns.values()]
}

function* spellingsOf(value: string): Generator<readonly [Leak['encoding'], string]> {
  const bytes = Buffer.from(value)
  yield ['raw', value]
  const url = encodeURIComponent(bytes.toString())
  // Some encode all that RFC 3986 reserves, some write a space as a form does, and either case of hex digits is right.
  const strict = url.replaceAll(/[!'()*~]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
  for (const each of [url, strict, strict.replaceAll('%7E', '~'), url.replaceAll('%20', '+')]) {
    yield ['url', each]
    yield ['url', each.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]
  }
  const json = JSON.stringify(value).slice(1, -1)
  const ascii = json.replaceAll(
    /[^ -~]/g,
    (each) => String.raw`\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  for (const each of [json, ascii]) {
    yield ['json', each]
    yield ['json', each.replaceAll('/', String.raw`\/`)]
  }
  const hex = bytes.toString('hex')
  yield ['hex', hex]
  yield ['hex', hex.toUpperCase()]
  for (const offset of [0, 1, 2]) {
    const inner = base64At(bytes, offset)
    yield ['base64', inner]
    yield ['base64', inner.replaceAll('+', '-').replaceAll('/', '_')]
  }
}

/** The characters of base64 that depend on the secret alone when it begins `offset` bytes into a group of three. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
  const first = Math.ceil((offset * 8) / 6)
  const end = Math.floor(((offset + bytes.length) * 8) / 6)
  return encoded.slice(first, end)
}
