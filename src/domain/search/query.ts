import { isUnspaced, type Word, wordsOf } from './words.ts'

/** Words that stand side by side. */
export interface Phrase {
  readonly terms: readonly string[]
  /** Whether the last one may go on: found is what begins so, too. */
  readonly open: boolean
}

/** Something that a text has to have, in one of these ways. */
export interface Wanted {
  readonly any: readonly Phrase[]
}

/** How much of a query counts: of a longer one the rest is not looked for. */
export const queryLimits = { letters: 1000, wanted: 12, terms: 32 } as const

/** Shorter words are beginnings of too many others to be meant as one. */
const shortestBeginning = 3

const parts = /["“”„]([^"“”„]*)["“”„]|[^\s"“”„]+/gu

/**
 * What a person typed, as what is looked for; nothing where there are no letters or digits in it. Every word has to be
 * there, in any order; it is found as the beginning of a word, too. What stands in quotes, or is joined by punctuation
 * (`foo-bar`, `src/main.ts`), has to stand side by side. Nothing else has a meaning: no operators, no syntax errors.
 */
export function parseQuery(text: string): readonly Wanted[] {
  const wanted = new Map<string, Wanted>()
  for (const { 0: part, 1: quoted } of text.slice(0, queryLimits.letters).normalize('NFC').matchAll(parts)) {
    const any = waysOf(quoted ?? part, quoted === undefined)
    if (any.length > 0) wanted.set(JSON.stringify(any), { any })
  }
  return [...wanted.values()].slice(0, queryLimits.wanted)
}

function waysOf(text: string, open: boolean): readonly Phrase[] {
  const { words, inner } = wordsOf(text)
  const whole = phraseOf(words, open)
  if (whole === null) return []
  // The words of `taskRequest` are inside `parseTaskRequest`, which does not begin with it.
  const only = words.length === 1 ? inner[0] : undefined
  const inside = only === undefined ? null : phraseOf(only, open)
  return inside === null ? [whole] : [whole, inside]
}

function phraseOf(words: readonly Word[], open: boolean): Phrase | null {
  const all = words.map(({ term }) => term).slice(0, queryLimits.terms)
  const last = all.at(-1)
  if (last === undefined) return null
  if (!isUnspaced(last)) return { terms: all, open: open && last.length >= shortestBeginning }
  // A run may go on where it is found: its last letter is in the pair before.
  const pair = all.at(-2)
  const covered = pair !== undefined && isUnspaced(pair) && pair.endsWith(last) && pair !== last
  return { terms: covered ? all.slice(0, -1) : all, open: false }
}
