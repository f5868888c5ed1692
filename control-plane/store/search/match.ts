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

/** The ways in which each wanted thing may stand in a text, each as terms side by side. */
export type Ways = readonly (readonly (readonly string[])[])[]

/** @param expand null: words have to be there as they are */
export function waysOf(wanted: readonly Wanted[], expand: Expand | null): Ways {
  const open = wanted.filter(({ any }) => any.some((phrase) => phrase.open)).length
  const most = Math.max(3, Math.floor(expansions.together / Math.max(1, open)))
  return wanted.map(({ any }) =>
    any.flatMap((phrase) => (expand === null ? [phrase.terms] : expanded(phrase, expand, most))),
  )
}

function expanded({ terms, open }: Phrase, expand: Expand, most: number): readonly (readonly string[])[] {
  const last = terms.at(-1)
  if (!open || last === undefined) return [terms]
  const limit = Math.min(most, terms.length === 1 ? expansions.each : expansions.inPhrase)
  const words = new Set([last, ...expand(last, limit)])
  return [...words].map((word) => [...terms.slice(0, -1), word])
}

/** A query of FTS5. Terms have no punctuation, so that none can be anything but a term. */
export function matchOf(ways: Ways, { statuses, repository }: SearchRequest): string {
  const facets = [
    ...(statuses === undefined ? [] : [statuses.map(statusTerm)]),
    ...(repository === undefined ? [] : [placesAbove(repository).map(repositoryTerm)]),
  ].map((terms) => terms.map((term) => [term]))
  return [...ways, ...facets].map(oneOf).join(' AND ')
}

/**
 * How many places of the index are read to count what is wanted, about: BM25 counts every word and phrase over all tasks,
 * at 100,000 of them in 4 ms for a word and 30 for a phrase that all of them have.
 */
export function costOf(ways: Ways, uses: (term: string) => number): number {
  const each = ways.flat().map((terms) => {
    const sum = terms.reduce((total, term) => total + uses(term), 0)
    return terms.length === 1 ? sum : 4 * sum
  })
  return each.reduce((sum, one) => sum + one, 0)
}

const quoted = (terms: readonly string[]): string => `"${terms.join(' ')}"`

function oneOf(ways: readonly (readonly string[])[]): string {
  // One of none is nothing: no text has this term.
  return ways.length === 0 ? quoted(['\ue003']) : `(${ways.map(quoted).join(' OR ')})`
}
