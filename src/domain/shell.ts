import { visible } from './terminal.ts'

/** Wraps an argument so that a shell takes it as it stands, and a terminal shows it. */
export function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return visible(text) === text ? `'${text.replaceAll("'", `'\\''`)}'` : spelled(text)
}

/** The same for a command that stands in a sentence, between backquotes, which somebody copies from there. */
export function quotedInline(text: string): string {
  return text.includes('`') ? spelled(text) : quoted(text)
}

/** All that is no plain letter by its bytes. */
function spelled(text: string): string {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`
  return `$'${text.replaceAll(/[^\w@%+=:,./ -]/gu, (letter) => [...Buffer.from(letter)].map(octal).join(''))}'`
}
