// A terminal takes these for commands or turns the direction of what is read; JSON.stringify escapes only the rest.
const raw = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu

/** JSON in one line, safe to print and with the same value when it is parsed. */
export function jsonLine(value: unknown): string {
  const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `${JSON.stringify(value).replaceAll(raw, escaped)}\n`
}
