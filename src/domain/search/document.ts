import { type Kind, kinds, type Piece } from './piece.ts'
import { wordsOf } from './words.ts'

/** The terms of a task by kind, separated by spaces; of an unspaced script each letter once by itself, too. */
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
  const groups: Record<Kind, string[]> = {
    goal: [],
    people: [],
    names: [],
    events: [],
    agent: [],
    output: [],
  }
  const letters: Record<Kind, Set<string>> = {
    goal: new Set(),
    people: new Set(),
    names: new Set(),
    events: new Set(),
    agent: new Set(),
    output: new Set(),
  }
  for (const { kind, text } of pieces) {
    const { words, inner } = wordsOf(text)
    for (const group of [words, ...inner]) {
      if (group.length > 0) groups[kind].push(group.map(({ term }) => term).join(' '))
    }
    for (const { first } of words) if (first !== undefined) letters[kind].add(first.term)
  }
  const joined = (kind: Kind): string => [...groups[kind], [...letters[kind]].join(' ')].join(` ${gap} `)
  return {
    goal: joined('goal'),
    people: joined('people'),
    names: joined('names'),
    events: joined('events'),
    agent: joined('agent'),
    output: joined('output'),
  }
}
