// TLS 1.0 to 1.3 begin with the same message (RFC 8446, 4.1.2). Written here, and not taken from a package, because the
// one that is kept up reads from a stream without a limit, takes the first of two names, and knows no second record.

export type Hello =
  /** It goes on beyond these bytes. */
  | { readonly kind: 'more' }
  /** `serverName` as it was sent, or null; `encrypted`: another name may hide in it (ECH, or what looks like it). */
  | { readonly kind: 'hello'; readonly serverName: string | null; readonly encrypted: boolean }
  | { readonly kind: 'bad'; readonly why: string }

/** Bytes that a hello may take: one with post-quantum keys and a long ticket has 4 KiB. */
const helloLimit = 32 * 1024

const handshake = 22
const clientHello = 1
const serverNameExtension = 0
const encryptedExtensions = new Set([0xfe0d, 0xff02, 0xff03, 0xffce])

class Malformed extends Error {}

/** Reads what a connection begins with. It never reads beyond the buffer, and takes time linear in its length. */
export function readHello(buffer: Buffer): Hello {
  try {
    const message = handshakeOf(buffer)
    if (message === null) return buffer.length > helloLimit ? bad('it is too long') : { kind: 'more' }
    return helloOf(message)
  } catch (error) {
    if (error instanceof Malformed) return bad(error.message)
    throw error
  }
}

/** The body of the first handshake message, put together from its records; null where more bytes are needed. */
function handshakeOf(buffer: Buffer): Buffer | null {
  const fragments: Buffer[] = []
  let length = 0
  for (let at = 0; ;) {
    if (buffer.length > at && buffer[at] !== handshake) throw new Malformed('it is not TLS')
    if (buffer.length > at + 1 && buffer[at + 1] !== 3) throw new Malformed('it is not TLS')
    if (buffer.length < at + 5) return null
    const size = buffer.readUInt16BE(at + 3)
    if (size === 0 || size > 16_384) throw new Malformed('a record has an impossible length')
    const fragment = buffer.subarray(at + 5, at + 5 + size)
    fragments.push(fragment)
    length += fragment.length
    at += 5 + size
    const [first = Buffer.alloc(0)] = fragments
    if (first.length > 0 && first[0] !== clientHello)
      throw new Malformed('it does not begin with a client hello')
    if (length >= 4) {
      const header = Buffer.concat(fragments, Math.min(length, 4))
      const whole = 4 + header.readUIntBE(1, 3)
      if (whole > helloLimit) throw new Malformed('it is too long')
      if (length > whole) throw new Malformed('something follows the hello in its record')
      if (length === whole && buffer.length >= at) return Buffer.concat(fragments).subarray(4)
    }
    if (buffer.length < at) return null
  }
}

function helloOf(message: Buffer): Hello {
  const reader = new Reader(message)
  reader.take(2 + 32)
  reader.vector(1)
  reader.vector(2)
  reader.vector(1)
  if (reader.atEnd) return { kind: 'hello', serverName: null, encrypted: false }
  const extensions = new Reader(reader.vector(2))
  reader.expectEnd()
  const seen = new Set<number>()
  let serverName: string | null = null
  while (!extensions.atEnd) {
    const type = extensions.number(2)
    const data = extensions.vector(2)
    if (seen.has(type)) throw new Malformed('an extension is there twice')
    seen.add(type)
    if (type === serverNameExtension) serverName = nameOf(data)
  }
  return { kind: 'hello', serverName, encrypted: [...encryptedExtensions].some((type) => seen.has(type)) }
}

/** Exactly one name, which is all that RFC 6066 leaves room for. */
function nameOf(data: Buffer): string {
  const list = new Reader(data)
  const names = new Reader(list.vector(2))
  list.expectEnd()
  if (names.number(1) !== 0) throw new Malformed('its server name is none')
  const name = names.vector(2)
  names.expectEnd()
  if (name.length === 0 || name.some((byte) => byte <= 32 || byte >= 127))
    throw new Malformed('its server name is none')
  return name.toString('latin1')
}

class Reader {
  private at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new Malformed('a length in it is wrong')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  number(bytes: 1 | 2): number {
    return this.take(bytes).readUIntBE(0, bytes)
  }

  /** A piece that begins with its length, in this many bytes. */
  vector(bytes: 1 | 2): Buffer {
    return this.take(this.number(bytes))
  }

  expectEnd(): void {
    if (!this.atEnd) throw new Malformed('a length in it is wrong')
  }
}

function bad(why: string): Hello {
  return { kind: 'bad', why }
}
