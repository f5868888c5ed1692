import { fold } from '../fold.ts'

/** A word of a text as the index knows it, and where it stands in the text. */
export interface Word {
  /** Letters and digits alone, folded; never empty. */
  readonly term: string
  readonly from: number
  readonly to: number
  /** Of a pair of letters: the first one alone, and where it ends. */
  readonly first?: { readonly term: string; readonly to: number }
}

/** What the words of a text are found by. */
export interface Words {
  /** In order. Where words are not spaced, a word begins at every letter: see `unspaced`. */
  readonly words: readonly Word[]
  /** The words inside a word, such as `parse` and `task` of `parseTask`; a list for each such word. */
  readonly inner: readonly (readonly Word[])[]
}

const unit = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*|\p{Extended_Pictographic}|\p{Regional_Indicator}/gu
// Says the same as `unit` where there is nothing else, in a third of the time.
const asciiUnit = /[A-Za-z0-9]+/g
const asciiText = /^[\0-\x7f]*$/
const letters = /^[\p{L}\p{N}]/u
const noLetters = /[^\p{L}\p{N}\p{M}]/gu
const marks = /(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]\p{Mn}*)\p{Mn}/gu
const ascii = /^[\u0020-\u007e]*$/
// Below this code point every script puts spaces between its words.
const maybeUnspaced = /[\u0e00-\u{10ffff}]/u
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc\uff70]/u
const runs = new RegExp(`(?:${unspaced.source})[\\p{M}]*|(?:(?!${unspaced.source})[^])+`, 'gu')
const hump = /[\p{Ll}\p{N}](?=\p{Lu})|\p{Lu}(?=\p{Lu}\p{Ll})/gu
const asciiHump = /[a-z0-9][A-Z]|[A-Z]{2}[a-z]/

/** No language has longer words; what is longer is no word, and found by its beginning. */
const longest = 64
/** Names of programs are not that long: what is longer is a key or a blob. */
const longestName = 48

/**
 * The words of a text in Unicode form NFC. Case, diacritics of Latin, Greek and Cyrillic letters, and compatibility forms
 * are folded away; punctuation, control characters and lone surrogates only separate; an emoji is a word. A short name
 * keeps its plus and hash signs: `C++`, `C#`.
 *
 * Scripts without spaces between words (Chinese, Japanese, Thai, ...; Korean too, whose endings cling to the words) have
 * at every letter a word of that letter and the next, the last of a run being the letter alone. So each piece of a run of
 * two letters is one word, and a longer piece is a phrase of words that overlap.
 */
export function wordsOf(text: string): Words {
  const words: Word[] = []
  const inner: (readonly Word[])[] = []
  for (const { 0: found, index } of text.matchAll(asciiText.test(text) ? asciiUnit : unit)) {
    if (!letters.test(found)) words.push({ term: found, from: index, to: index + found.length })
    else if (ascii.test(found) || !maybeUnspaced.test(found)) addSpaced(found, index, text, words, inner)
    else addMixed(found, index, text, words, inner)
  }
  return { words, inner }
}

/** Whether a term is of a script without spaces. */
export function isUnspaced(term: string): boolean {
  return maybeUnspaced.test(term) && unspaced.test(term)
}

function addSpaced(
  found: string,
  from: number,
  text: string,
  words: Word[],
  inner: (readonly Word[])[],
): void {
  const signs =
    found.length <= 2
      ? (/^[+#]{1,3}(?![\p{L}\p{N}])/u.exec(text.slice(from + found.length, from + found.length + 8))?.[0] ??
        '')
      : ''
  const term = termOf(found)
  if (term === '') return
  words.push({
    term: term + signs.replaceAll('+', '\uff0b').replaceAll('#', '\uff03'),
    from,
    to: from + found.length + signs.length,
  })
  if (found.length > longestName || (ascii.test(found) && !asciiHump.test(found))) return
  const parts = partsOf(found, from)
  if (parts.length > 1) inner.push(parts)
}

/** The words of a name in camel case. */
function partsOf(name: string, from: number): readonly Word[] {
  const ends = Array.from(name.matchAll(hump), ({ 0: last, index }) => index + last.length)
  return [...ends, name.length].flatMap((end, place) => {
    const start = ends[place - 1] ?? 0
    const term = termOf(name.slice(start, end))
    return term === '' ? [] : [{ term, from: from + start, to: from + end }]
  })
}

/** Splits what has letters of unspaced scripts in it. */
function addMixed(
  found: string,
  from: number,
  text: string,
  words: Word[],
  inner: (readonly Word[])[],
): void {
  let run: Word[] = []
  const endRun = (): void => {
    words.push(...run.map((word, place) => paired(word, run[place + 1])))
    run = []
  }
  for (const { 0: piece, index } of found.matchAll(runs)) {
    if (unspaced.test(piece)) {
      const term = termOf(piece)
      if (term !== '') run.push({ term, from: from + index, to: from + index + piece.length })
    } else {
      endRun()
      addSpaced(piece, from + index, text, words, inner)
    }
  }
  endRun()
}

function paired(word: Word, next: Word | undefined): Word {
  if (next === undefined) return word
  return { term: word.term + next.term, from: word.from, to: next.to, first: word }
}

function termOf(word: string): string {
  if (ascii.test(word)) return word.slice(0, longest).toLowerCase()
  const plain = fold(word.normalize('NFKD').replaceAll(marks, ''))
    .replaceAll(noLetters, '')
    .replaceAll('ς', 'σ')
  return Array.from(plain).slice(0, longest).join('')
}
