import { stripVTControlCharacters } from 'node:util'

// Control characters but for tab and newline, and the marks that turn the direction of what is read.
const unseen = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu

/** What comes out of a box or an agent, made safe to print: no escape sequences, no control characters. */
export function plain(text: string): string {
  return stripVTControlCharacters(text.replaceAll(/\r+\n/g, '\n'))
    .replaceAll('\r', '\n')
    .replaceAll(unseen, '')
}

/** The first line, safe to print, with at most `most` characters. */
export function firstLine(text: string, most: number): string {
  const line = plain(text).trim().split('\n', 1)[0] ?? ''
  const letters = Array.from(line)
  return letters.length <= most ? line : `${letters.slice(0, Math.max(0, most - 1)).join('')}…`
}

/** `text` with its further lines indented like the first, which stands after `indent` characters. */
export function hang(text: string, indent: number): string {
  return plain(text)
    .trim()
    .replaceAll('\n', `\n${' '.repeat(indent)}`)
}

/** A length of time for people: `8s`, `3m 05s`, `1h 02m`, `3d 04h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  const hours = Math.floor(seconds / 3600)
  if (hours >= 48) return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`
  return `${hours}h ${two(Math.floor((seconds % 3600) / 60))}m`
}

/** Local date and time, to the second. */
export function moment(at: number): string {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `items` with commas between them, in lines of at most `width` characters where an item allows it. */
export function wrapped(items: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const item of items) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + item.length + 2 < width)
      lines[lines.length - 1] = `${last}, ${item}`
    else lines.push(item)
  }
  return lines
}

/**
 * Rows in columns, two spaces apart; the last column is as wide as it is, and its further lines stand beneath its first. Cells hold
 * no colours.
 * @param indent where the first column begins
 */
export function columns(rows: readonly (readonly string[])[], indent = 0): readonly string[] {
  const widths: number[] = []
  for (const row of rows) {
    // The last cell of a row pushes nothing.
    row.slice(0, -1).forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length)
    })
  }
  return rows.map((row) => {
    const before = row.slice(0, -1).map((cell, index) => `${cell.padEnd(widths[index] ?? 0)}  `)
    const begin = `${' '.repeat(indent)}${before.join('')}`
    const last = (row.at(-1) ?? '').replaceAll('\n', `\n${' '.repeat(begin.length)}`)
    return `${begin}${last}`.trimEnd()
  })
}
