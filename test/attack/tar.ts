import { Readable } from 'node:stream'

export interface TarEntry {
  readonly name: string
  /** The type flag: `0` file, `1` hard link, `2` symlink, `3` device, `5` folder, `6` fifo. */
  readonly type: string
  readonly link?: string
}

/** A tar archive of these entries, as no honest program would write it. */
export function hostileTar(entries: readonly TarEntry[]): Readable {
  const blocks = entries.flatMap(({ name, type, link = '' }) => {
    const content = type === '0' ? 'evil' : ''
    const header = Buffer.alloc(512)
    header.write(name, 0)
    for (const [text, at] of [
      ['0000644\0', 100],
      ['0000000\0', 108],
      ['0000000\0', 116],
      [`${content.length.toString(8).padStart(11, '0')}\0`, 124],
      ['00000000000\0', 136],
      ['        ', 148],
      [type, 156],
      [link, 157],
      ['ustar\0', 257],
      ['00', 263],
    ] as const)
      header.write(text, at)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const body = Buffer.alloc(content === '' ? 0 : 512)
    body.write(content)
    return [header, body]
  })
  return Readable.from([Buffer.concat([...blocks, Buffer.alloc(1024)])])
}
