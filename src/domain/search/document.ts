import { type Kind, kinds, type Piece } from './piece.ts'
import { wordsOf } from './words.ts'

/** The terms of a task by kind, separated by spaces; letters of unspaced scripts and short commit ids by themselves, too. */
export type Document = Readonly<Record<Kind, string>>

/** Stands between texts, so that no phrase goes from one into the next; nobody can type it. */
const gap = '\ue000'

/** How much of a kind is found, characters: of more than that the beginning of what is given first. */
const most: Readonly<Record<Kind, number>> = {
  goal: 32_768,
  people: 32_768,
  names: 32_768,
  events: 32_768,
  agent: 32_768,
  output: 32_768,
}

/** Pieces as they are searched: the newest of each kind first, each line of a kind once, and not more than can be found. */
export function searchable(pieces: readonly Piece[]): readonly Piece[] {
  return kinds.flatMap((kind) => {
    let room = most[kind]
    const seen = new Set<string>()
    return pieces.flatMap((piece): Piece[] => {
      if (piece.kind !== kind || room <= 0) return []
      const text = fresh(piece.text, seen).slice(0, room)
      room -= text.length
      return text === '' ? [] : [{ ...piece, text }]
    })
  })
}

/** What steps have in common, such as the head of a test's output, is found once. */
function fresh(text: string, seen: Set<string>): string {
  return text
    .normalize('NFC')
    .split('\n')
    .filter((line) => {
      const same = line.trim()
      if (same === '' || seen.has(same)) return false
      seen.add(same)
      return true
    })
    .join('\n')
}

/** What the index takes of `searchable` pieces. */
export function documentOf(pieces: readonly Piece[]): Document {
  return {
    goal: termsOf(pieces, 'goal'),
    people: termsOf(pieces, 'people'),
    names: termsOf(pieces, 'names'),
    events: termsOf(pieces, 'events'),
    agent: termsOf(pieces, 'agent'),
    output: termsOf(pieces, 'output'),
  }
}

function termsOf(pieces: readonly Piece[], kind: Kind): string {
  const groups: string[] = []
  const alone = new Set<string>()
  for (const piece of pieces) {
    if (piece.kind !== kind) continue
    const { words, inner } = wordsOf(piece.text)
    for (const group of [words, ...inner]) {
      if (group.length > 0) groups.push(group.map(({ term }) => term).join(' '))
    }
    for (const { term, first } of words) {
      if (first !== undefined) alone.add(first.term)
      else if (term.length >= 40) for (const short of abbreviations(term)) alone.add(short)
    }
  }
  return [...groups, ...(alone.size > 0 ? [[...alone].join(' ')] : [])].join(` ${gap} `)
}

/** As people write a commit id. */
function abbreviations(term: string): readonly string[] {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(term)
    ? [7, 8, 9, 10, 11, 12].map((end) => term.slice(0, end))
    : []
}
