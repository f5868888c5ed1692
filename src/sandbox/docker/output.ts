const headBytes = 64 * 1024
const tailBytes = 256 * 1024

/** What is kept of a box's output. */
export interface Output {
  take(chunk: Buffer): void
  text(): string
  readonly bytes: number
  readonly truncated: boolean
}

/**
 * Keeps the first 64 KiB and the last 256 KiB in memory, whatever comes. `limit` is in bytes: of more it says that it is
 * truncated, for it is not shown whole anywhere.
 */
export function outputKeeper(limit: number): Output {
  const head = Buffer.alloc(headBytes)
  let ring: Buffer | null = null
  let bytes = 0

  const keepTail = (chunk: Buffer): void => {
    ring ??= Buffer.alloc(tailBytes)
    const part = chunk.subarray(Math.max(0, chunk.length - tailBytes))
    let at = (bytes - headBytes + chunk.length - part.length) % tailBytes
    for (let from = 0; from < part.length;) {
      const copied = part.copy(ring, at, from)
      from += copied
      at = (at + copied) % tailBytes
    }
  }

  return {
    take(chunk) {
      const inHead = bytes < headBytes ? chunk.copy(head, bytes) : 0
      bytes += inHead
      if (inHead < chunk.length) {
        keepTail(chunk.subarray(inHead))
        bytes += chunk.length - inHead
      }
    },
    text() {
      const kept = head.subarray(0, Math.min(bytes, headBytes))
      const later = bytes - kept.length
      if (ring === null || later <= 0) return textOf(kept)
      if (later <= tailBytes) return textOf(Buffer.concat([kept, ring.subarray(0, later)]))
      const at = later % tailBytes
      const tail = Buffer.concat([ring.subarray(at), ring.subarray(0, at)])
      return `${textOf(wholeEnd(kept))}\n[... ${later - tailBytes} bytes of output are left out here ...]\n${textOf(wholeStart(tail))}`
    },
    get bytes() {
      return bytes
    },
    get truncated() {
      return bytes > headBytes + tailBytes || bytes > limit
    },
  }
}

/** As text, whatever the bytes are. NUL becomes the replacement mark too: databases and terminals cut there. */
function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll('\0', '\uFFFD')
}

const continues = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Without a character whose end was cut off. */
function wholeEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1
  while (start > bytes.length - 4 && continues(bytes[start])) start -= 1
  const lead = bytes[start] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes
}

/** Without a character whose start was cut off. */
function wholeStart(bytes: Buffer): Buffer {
  let start = 0
  while (start < 3 && continues(bytes[start])) start += 1
  return bytes.subarray(start)
}
