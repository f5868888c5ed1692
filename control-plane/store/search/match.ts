import { sha256 } from '../../../src/domain/canonical-json.ts'
import type { Phrase, Wanted } from '../../../src/domain/search/query.ts'
import { placesAbove, type SearchRequest } from '../../../src/domain/search/search.ts'

// Facets are terms that nobody can type: they begin with a letter of private use.

/** What a task is filtered by. */
export function facetsOf(task: { readonly status: string; readonly repository: string }): string {
  return `${statusTerm(task.status)} ${repositoryTerm(task.repository)}`
}

const statusTerm = (status: string): string => `\ue001${status.toLowerCase()}`
const repositoryTerm = (path: string): string => `\ue002${sha256(path).slice(0, 20)}`

/** The words that begin so, the most common first; at most `most`. */
export type Expand = (beginning: string, most: number) => readonly string[]

/** So many words may stand for the beginnings in a query together, and for one of them. */
const expansions = { together: 48, each: 32, inPhrase: 8 } as const

/**
 * A query of FTS5. Terms have no punctuation, so that none can be anything but a term.
 * @param expand null: words have to be there as they are
 */
export function matchOf(
  wanted: readonly Wanted[],
  { statuses, repository }: SearchRequest,
  expand: Expand | null,
): string {
  const open = wanted.filter(isOpen).length
  const most = Math.max(3, Math.floor(expansions.together / Math.max(1, open)))
  const spelled = (phrase: Phrase): readonly string[] =>
    (expand === null ? [phrase.terms] : expanded(phrase, expand, most)).map(quoted)
  const facets = [
    ...(statuses === undefined ? [] : [statuses.map(statusTerm)]),
    ...(repository === undefined ? [] : [placesAbove(repository).map(repositoryTerm)]),
  ].map((terms) => oneOf(terms.map((term) => quoted([term]))))
  return [...wanted.map(({ any }) => oneOf(any.flatMap(spelled))), ...facets].join(' AND ')
}

export function isOpen({ any }: Wanted): boolean {
  return any.some(({ open }) => open)
}

function expanded({ terms, open }: Phrase, expand: Expand, most: number): readonly (readonly string[])[] {
  const last = terms.at(-1)
  if (!open || last === undefined) return [terms]
  const limit = Math.min(most, terms.length === 1 ? expansions.each : expansions.inPhrase)
  const words = new Set([last, ...expand(last, limit)])
  return [...words].map((word) => [...terms.slice(0, -1), word])
}

const quoted = (terms: readonly string[]): string => `"${terms.join(' ')}"`

function oneOf(ways: readonly string[]): string {
  // One of none is nothing: no text has this term.
  return ways.length === 0 ? quoted(['\ue003']) : `(${ways.join(' OR ')})`
}
