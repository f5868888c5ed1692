/** What a TLS hello of a test says. */
export interface HelloOf {
  /** Null: it names no server. */
  readonly name: string | null
  /** Further extensions: their types and bodies. */
  readonly more?: readonly (readonly [type: number, body: Buffer])[]
  /** Bytes of it in each record; all in one where nothing is said. */
  readonly record?: number
}

/** A client's TLS hello, byte by byte, so that tests can say what Node's own client never does. */
export function helloBytes({ name, more = [], record = 16_384 }: HelloOf): Buffer {
  const sni: readonly (readonly [number, Buffer])[] =
    name === null ? [] : [[0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]))]]
  const extensions = [...sni, ...more].map(([type, body]) =>
    Buffer.concat([number(2, type), vector(2, body)]),
  )
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
    vector(2, Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([Buffer.from([1]), vector(3, body)])
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += record)
    records.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + record)))
  return Buffer.concat(records)
}

/** Bytes with their length in front of them. */
export function vector(width: 1 | 2 | 3, bytes: Buffer): Buffer {
  return Buffer.concat([number(width, bytes.length), bytes])
}

function number(width: number, value: number): Buffer {
  const bytes = Buffer.alloc(width)
  bytes.writeUIntBE(value, 0, width)
  return bytes
}
