import { array, assert, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demultiplexer } from '../../../src/sandbox/docker/frames.ts'
import { outputKeeper } from '../../../src/sandbox/docker/output.ts'

const kib = 1024

function keep(chunks: readonly Buffer[], limit = 100 * kib * kib) {
  const output = outputKeeper(limit)
  for (const chunk of chunks) output.take(chunk)
  return { output }
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('the output of a box', () => {
  it('is kept whole up to 320 KiB', () => {
    const bytes = Buffer.from('0123456789abcdef'.repeat(20 * kib))
    const { output } = keep(cut(bytes, [1000, 7, 99_999]))
    expect(output.text()).toBe(bytes.toString())
    expect(output).toMatchObject({ bytes: 320 * kib, truncated: false })
  })

  it('beyond that is its first 64 KiB, a mark with the number left out, and its last 256 KiB', () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(''))
    const text = keep(cut(bytes, [4096, 1, 300 * kib])).output.text()
    const [head, tail] = text.split(/\n\[\.\.\. \d+ bytes of output are left out here \.\.\.\]\n/)
    expect(head).toBe(bytes.subarray(0, 64 * kib).toString())
    expect(tail).toBe(bytes.subarray(-256 * kib).toString())
    expect(text).toContain(`[... ${bytes.length - 320 * kib} bytes`)
  })

  it('is the same however it is cut into chunks', () => {
    const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i} `).join(''))
    const expected = keep([bytes]).output.text()
    assert(
      property(array(integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        // Many small ones are only slow.
        expect(
          keep(
            cut(
              bytes,
              sizes.map((size) => size + 500),
            ),
          ).output.text(),
        ).toBe(expected)
      }),
      { numRuns: 50 },
    )
  })

  it.each<[readonly number[], boolean]>([
    [[600, 400], false],
    [[600, 401], true],
    [[1800], true],
  ])('is truncated beyond its limit, and counted: %j', (sizes, truncated) => {
    const { output } = keep(
      sizes.map((size) => Buffer.alloc(size, 'x')),
      1000,
    )
    expect(output).toMatchObject({ bytes: sizes.reduce((sum, size) => sum + size, 0), truncated })
  })

  it('is text whatever the bytes are, and no character is cut in two', () => {
    expect(keep([Buffer.from([0x61, 0, 0xff, 0x62])]).output.text()).toBe('a\uFFFD\uFFFDb')
    for (const shift of [0, 1, 2, 3]) {
      const text = keep([Buffer.from('x'.repeat(shift) + '😀'.repeat(200 * kib))]).output.text()
      expect(text).not.toContain('\uFFFD')
    }
  })
})

describe("the engine's frames", () => {
  const frame = (stream: number, content: string): Buffer => {
    const header = Buffer.alloc(8)
    header[0] = stream
    header.writeUInt32BE(Buffer.byteLength(content), 4)
    return Buffer.concat([header, Buffer.from(content)])
  }

  it('come out in order, wherever the stream is cut', () => {
    const contents = ['one', '', 'two\n', 'x'.repeat(5000), 'ü']
    const stream = Buffer.concat(contents.map((content, i) => frame(1 + (i % 2), content)))
    for (const size of [1, 2, 7, 8, 9, 100, stream.length]) {
      const parts: Buffer[] = []
      const demultiplex = demultiplexer((part) => parts.push(part))
      for (const chunk of cut(stream, [size])) demultiplex(chunk)
      expect(Buffer.concat(parts).toString()).toBe(contents.join(''))
    }
  })

  it('of four gigabytes are not waited for', () => {
    const parts: Buffer[] = []
    const demultiplex = demultiplexer((part) => parts.push(part))
    demultiplex(Buffer.concat([Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), Buffer.from('start')]))
    expect(Buffer.concat(parts).toString()).toBe('start')
  })
})
