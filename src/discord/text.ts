import { stripVTControlCharacters } from 'node:util'

// What people read on Discord. Its limits count UTF-16 units.

/** Most of a message, of an embed's description, of a field and of a choice. */
export const most = { content: 2000, description: 4096, field: 1024, choice: 100, thread: 100 } as const

const unseen = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu

/** What comes out of a box, an agent or another person, without control characters. */
export function plain(text: string): string {
  return stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replaceAll('\r', '\n').replaceAll(unseen, '')
}

// Never over the end of a line, wherever a line may begin: to look from each of many empty ones to their end takes seconds.
const marks = /[\\*_~`|[\]]|^[^\S\n\r\u2028\u2029]*[->#+]/gm

/** The same as Discord shows it letter by letter: no formatting, no links with other words, no mentions. */
export function escaped(text: string): string {
  return plain(text)
    .replaceAll(marks, (letters) => letters.replace(/\S$/, '\\$&'))
    .replaceAll(/@/g, '@\u200b')
    .replaceAll('<', '\\<')
}

/** At most so many units, without half a character. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  let end = length - 1
  if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '')) end -= 1
  // Not in the middle of an escape.
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(text.slice(0, end))) end -= 1
  return `${text.slice(0, end)}…`
}

/** As one line, escaped. */
export function line(text: string, length: number): string {
  return cut(escaped(text).replaceAll(/\s+/g, ' ').trim(), length)
}

/** As it stands in a block of code, which three backticks in a row would end. */
const inside = (text: string): string =>
  plain(text)
    .trimEnd()
    .replaceAll(/`(?=``)/g, '`\u200b')

/** A block of code, its beginning where it is too long: that is where a command says what it does. */
export function headBlock(text: string, length: number): string {
  const shown = inside(text)
  const room = length - 10
  return `\`\`\`\n${shown.length <= room ? shown : `${shown.slice(0, room - 1).replace(/[\uD800-\uDBFF]$/, '')}…`}\n\`\`\``
}

/** A block of code, its end where it is too long: that is where a test says what failed. */
export function tailBlock(text: string, length: number): string {
  const shown = inside(text)
  const room = length - 10
  return `\`\`\`\n${shown.length <= room ? shown : `…${shown.slice(-room + 1).replace(/^[\uDC00-\uDFFF]/, '')}`}\n\`\`\``
}

/** `8s`, `3m 05s`, `1h 02m`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`
}

/** A time that each reader's client shows in their own zone. */
export function moment(at: number, style: 'R' | 'f' = 'R'): string {
  return `<t:${Math.floor(at / 1000)}:${style}>`
}
