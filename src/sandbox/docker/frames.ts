/** 1 is the standard output, 2 the standard error. */
export type OutputStream = number

/** Takes what a box printed. */
export type TakeOutput = (part: Buffer, stream: OutputStream) => void

/**
 * Takes apart the engine's stream of both outputs: frames of an 8-byte header (stream, 3 × 0, length as big endian)
 * and content. What it gives out are views of the chunk, never joined, so a frame of any size costs no memory.
 */
export function demultiplexer(content: TakeOutput): (chunk: Buffer) => void {
  const header = Buffer.alloc(8)
  let headed = 0
  let left = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (left === 0) {
        const taken = chunk.copy(header, headed, at, at + 8 - headed)
        headed += taken
        at += taken
        if (headed < 8) return
        headed = 0
        left = header.readUInt32BE(4)
        continue
      }
      const end = Math.min(chunk.length, at + left)
      content(chunk.subarray(at, end), header[0] ?? 0)
      left -= end - at
      at = end
    }
  }
}
