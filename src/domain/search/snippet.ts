import type { Kind, Piece } from './piece.ts'
import type { Phrase, Wanted } from './query.ts'
import { type Word, wordsOf } from './words.ts'

/** A part of a text around what was found in it. */
export interface Snippet {
  readonly kind: Kind
  readonly step: number | null
  /** In order; together the snippet. White space is one space. */
  readonly parts: readonly { readonly text: string; readonly hit: boolean }[]
}

/** At most so many for a task, each of about so many characters. */
const most = 3
const length = 160
/** How much stands before the first hit, characters. */
const before = 40
/** Further hits in a text are not looked at. */
const mostHits = 200
const shortText = 4096

/** A stretch of a text that a wanted thing, by its number, was found in. */
interface Hit {
  readonly from: number
  readonly to: number
  readonly wanted: number
}

interface Found {
  readonly piece: Piece
  readonly hits: readonly Hit[]
}

/** Shows where in `searchable` pieces what is wanted was found: as few pieces as show all of it, the first that do. */
export function snippetsOf(pieces: readonly Piece[], wanted: readonly Wanted[]): readonly Snippet[] {
  const missing = new Set(wanted.keys())
  const found: Found[] = []
  for (const piece of pieces) {
    if (missing.size === 0 || found.length === most) break
    const hits = hitsIn(piece.text, wanted)
    // The first of all is shown whatever it has; a further one where it has something new.
    if (hits.length === 0 || (found.length > 0 && !hits.some((hit) => missing.has(hit.wanted)))) continue
    found.push({ piece, hits })
    for (const hit of hits) missing.delete(hit.wanted)
  }
  return found.map(snippetOf)
}

/** Line by line: of a long output few lines have a word that is wanted, and to read all of it takes long. */
function hitsIn(text: string, wanted: readonly Wanted[]): readonly Hit[] {
  const needles = wanted.flatMap(({ any }) => any.map(({ terms }) => needleOf(terms)))
  const hits: Hit[] = []
  for (let from = 0; from < text.length && hits.length < mostHits;) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, end === -1 ? text.length : end)
    if (mayHave(line, needles)) hits.push(...hitsInLine(line, from, wanted))
    from += line.length + 1
  }
  // Side by side may be on two lines.
  return hits.length === 0 && text.length < shortText ? hitsInLine(text, 0, wanted) : hits
}

/** What a text has that has these terms, if it is ASCII; the signs of `C++` are others in a term. */
function needleOf(terms: readonly string[]): string {
  return (terms[0] ?? '').replaceAll(/[\uff0b\uff03]/g, '')
}

function mayHave(line: string, needles: readonly string[]): boolean {
  if (!/^[\0-\x7f]*$/.test(line)) return true
  const lower = line.toLowerCase()
  return needles.some((needle) => lower.includes(needle))
}

function hitsInLine(line: string, offset: number, wanted: readonly Wanted[]): readonly Hit[] {
  const { words, inner } = wordsOf(line)
  const hits = [words, ...inner].flatMap((row) =>
    wanted.flatMap(({ any }, number) => any.flatMap((phrase) => matches(row, phrase, number))),
  )
  return hits
    .map(({ from, to, wanted: number }) => ({ from: offset + from, to: offset + to, wanted: number }))
    .toSorted((a, b) => a.from - b.from || b.to - a.to)
}

function matches(row: readonly Word[], { terms, open }: Phrase, wanted: number): readonly Hit[] {
  const last = terms.length - 1
  return row.flatMap((word, at): Hit[] => {
    const end = row[at + last]
    if (end === undefined) return []
    const fits = terms.every((term, place) => {
      const there = row[at + place]?.term ?? ''
      return open && place === last ? there.startsWith(term) : there === term
    })
    if (fits) return [{ from: word.from, to: end.to, wanted }]
    const { first } = word
    return first !== undefined && last === 0 && first.term === terms[0]
      ? [{ from: word.from, to: first.to, wanted }]
      : []
  })
}

function snippetOf({ piece: { kind, step, text }, hits }: Found): Snippet {
  const first = richest(hits)
  const from = wordStart(text, Math.max(0, first - before))
  const to = wordEnd(text, Math.min(text.length, from + length))
  const parts: { text: string; hit: boolean }[] = []
  const add = (start: number, end: number, hit: boolean): void => {
    const shown = text.slice(start, end).replaceAll(/\s+/g, ' ')
    if (shown !== '') parts.push({ text: shown, hit })
  }
  if (from > 0) parts.push({ text: '…', hit: false })
  let at = from
  for (const hit of hits) {
    if (hit.to <= at || hit.from < from || hit.from >= to) continue
    const start = Math.max(at, hit.from)
    add(at, start, false)
    add(start, hit.to, true)
    at = hit.to
  }
  if (at < to) add(at, to, false)
  if (Math.max(at, to) < text.length) parts.push({ text: '…', hit: false })
  return { kind, step, parts: joined(parts) }
}

/** The beginning of the hit after which most of what is wanted follows within a snippet. */
function richest(hits: readonly Hit[]): number {
  let best = { from: hits[0]?.from ?? 0, count: 0 }
  for (const { from } of hits) {
    const near = hits.filter((hit) => hit.from >= from && hit.to <= from + length - before)
    const count = new Set(near.map(({ wanted }) => wanted)).size
    if (count > best.count) best = { from, count }
  }
  return best.from
}

/** Where the word begins that `at` is in, unless that is far; never in the middle of a letter. */
function wordStart(text: string, at: number): number {
  const space = text.slice(at, at + 20).search(/\s/)
  if (at === 0) return 0
  return space === -1 ? whole(text, at) : at + space + 1
}

function wordEnd(text: string, at: number): number {
  if (at >= text.length) return text.length
  const space = text.slice(at - 20, at).search(/\s\S*$/)
  return space === -1 ? whole(text, at) : at - 20 + space
}

function whole(text: string, at: number): number {
  return /^[\udc00-\udfff]/.test(text.slice(at, at + 1)) ? at + 1 : at
}

function joined(parts: readonly { text: string; hit: boolean }[]): Snippet['parts'] {
  const all: { text: string; hit: boolean }[] = []
  for (const part of parts) {
    const last = all.at(-1)
    if (last !== undefined && last.hit === part.hit) last.text += part.text
    else all.push({ ...part })
  }
  return all
}
