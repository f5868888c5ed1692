import { parseQuery, type Wanted } from '../../src/domain/search/query.ts'
import {
  type FoundTask,
  isMeant,
  ranked,
  type SearchAnswer,
  type SearchHit,
  searchLimits,
  type SearchRequest,
} from '../../src/domain/search/search.ts'
import { searchable } from '../../src/domain/search/document.ts'
import { snippetsOf } from '../../src/domain/search/snippet.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Found, SearchIndex } from '../store/search/index.ts'
import type { Store } from '../store/store.ts'
import type { Indexer } from './indexer.ts'

export interface SearchDeps {
  readonly store: Pick<Store, 'task' | 'texts'>
  readonly index: SearchIndex
  readonly indexer: Pick<Indexer, 'ready'>
}

/** How long a search waits for an index that is not up to date, ms: a second process is through in that time. */
const patienceMs = 2000
/** So many of the newest tasks that fit are ranked; a word that more tasks have says little about any of them. */
const window = 500

/**
 * Finds tasks by their texts. The best first: those that have the words themselves before those that have words which
 * begin so; in each part by BM25 over the newest 500, where the goal weighs the most and test output the least; of those
 * that are as good, or have only words that are too common to tell, the newest first. Rejects with `Failure('database' | 'disk' | 'busy')`.
 */
export async function search(deps: SearchDeps, request: SearchRequest): Promise<SearchAnswer> {
  const wanted = parseQuery(request.text)
  if (wanted.length === 0) return { hits: [], more: false, behind: 0 }
  const behind = await deps.indexer.ready(patienceMs)
  const limit = Math.min(request.limit ?? searchLimits.usual, searchLimits.most)
  const tasks: Task[] = []
  for (const { id } of best(deps.index, wanted, request)) {
    const task = deps.store.task(id)
    // The index may be behind.
    if (task !== null && isMeant(task, request)) tasks.push(task)
    if (tasks.length > limit) break
  }
  const hits = tasks.slice(0, limit).map((task) => hitOf(deps, task, wanted))
  return { hits, more: tasks.length > limit, behind }
}

/** In order. The second part is only looked for where the first is not enough. */
function* best(index: SearchIndex, wanted: readonly Wanted[], request: SearchRequest): Iterable<Found> {
  const whole = index.find(wanted, request, 'words', window)
  yield* ranked(whole)
  const known = new Set(whole.map(({ id }) => id))
  yield* ranked(index.find(wanted, request, 'beginnings', window).filter(({ id }) => !known.has(id)))
}

function hitOf({ store }: SearchDeps, task: Task, wanted: readonly Wanted[]): SearchHit {
  const pieces = searchable(store.texts(task.id)?.pieces ?? [])
  return { task: shown(task), snippets: snippetsOf(pieces, wanted) }
}

function shown(task: Task): FoundTask {
  const { id, kind, status, outcome, phase, delivery, merge, pull, goal, repository, branch } = task
  const { createdAt, updatedAt } = task
  const standing = { kind, status, outcome, phase, delivery, merge, pull }
  return { id, ...standing, goal, repository, branch, createdAt, updatedAt }
}
