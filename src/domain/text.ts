// Small pieces of sentences for people.

/** `1 step`, `2 steps`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** A span of time: whole seconds below a minute, else minutes with one decimal at most. */
export function timeOf(seconds: number): string {
  return seconds < 60 ? counted(seconds, 'second') : counted(Math.round(seconds / 6) / 10, 'minute')
}

/** The first few of a list, and how many more there are. */
export function fewOf(items: readonly string[], most = 5): string {
  const shown = items.slice(0, most).join(', ')
  return items.length > most ? `${shown} and ${items.length - most} more` : shown
}

// A terminal takes these for commands, or they end a line or turn its direction; JSON.stringify escapes only the rest.
const raw = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu

/** JSON in one line, safe to print and with the same value when it is parsed. */
export function jsonText(value: unknown): string {
  const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(raw, escaped)
}
