import type { HostPath, Millis } from '../../../src/domain/brand.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Document } from '../../../src/domain/search/document.ts'
import { kinds } from '../../../src/domain/search/piece.ts'
import type { Wanted } from '../../../src/domain/search/query.ts'
import type { SearchRequest } from '../../../src/domain/search/search.ts'
import { isUnspaced } from '../../../src/domain/search/words.ts'
import { activeStatuses } from '../../../src/domain/task.ts'
import type { Connection } from '../database.ts'
import { overStorage } from '../failures.ts'
import { isDamage, openIndexFile, removeIndexFile } from './file.ts'
import { costOf, type Expand, facetsOf, matchOf, waysOf } from './match.ts'

/** A task as the index takes it. */
export interface Entry {
  readonly id: TaskId
  readonly version: number
  readonly createdAt: Millis
  readonly status: string
  readonly repository: string
  readonly document: Document
}

export interface Found {
  readonly id: TaskId
  /** The higher the better. */
  readonly score: number
  /** The higher the newer. */
  readonly newness: number
}

/**
 * The terms of all tasks, in a file of their own beside the database: so no transition waits for them, they make no
 * transaction or copy larger, and what happens to them happens to nothing else. Methods throw
 * `Failure('database' | 'disk' | 'busy')` when the storage fails.
 */
export interface SearchIndex extends Disposable {
  /** Rises when the file was damaged and is begun anew: then nothing is in it. */
  readonly generation: number
  /** The version of a task that is in it. */
  version(id: TaskId): number | null
  count(): number
  ids(): readonly TaskId[]
  /** Puts tasks in, in the place of what is there of them, and takes others out; all or nothing. */
  put(entries: readonly Entry[], gone: readonly TaskId[]): void
  /**
   * Of the tasks that have all that is wanted, the newest `most`, in no order. Where the words are so common that to count
   * them takes long, all have the same score: that of such words says little.
   * @param by `words`: as it is wanted; `beginnings`: or as the beginning of a word, where it may be one
   */
  find(
    wanted: readonly Wanted[],
    request: SearchRequest,
    by: 'words' | 'beginnings',
    most: number,
  ): readonly Found[]
  /** A few milliseconds of what keeps the index fast. False where nothing is left to do. */
  tend(): boolean
}

/** How much more a word counts that is found in a text of this kind; facets say nothing about how well a task fits. */
const weights: Readonly<Record<(typeof kinds)[number], number>> = {
  goal: 10,
  people: 6,
  names: 4,
  events: 2,
  agent: 2,
  output: 1,
}

/** Opens at the first use: a disk that is full or readonly is no reason not to start. */
export function searchIndex(file: HostPath): SearchIndex {
  let open: Statements | null = null
  let generation = 1
  const close = (): void => {
    open?.db.close()
    open = null
  }
  const use = <T>(act: (statements: Statements) => T): T =>
    overStorage(file, () => {
      try {
        return act((open ??= prepare(openIndexFile(file))))
      } catch (error) {
        if (!isDamage(error)) throw error
        close()
        removeIndexFile(file)
        generation += 1
        return act((open = prepare(openIndexFile(file))))
      }
    })
  return {
    get generation() {
      return generation
    },
    version: (id) => use((statements) => statements.version.get(id) ?? null),
    count: () => use((statements) => statements.count.get() ?? 0),
    ids: () => use((statements) => statements.ids.all()),
    put: (entries, gone) => use((statements) => statements.put(entries, gone)),
    find: (wanted, request, by, most) => use((statements) => statements.find(wanted, request, by, most)),
    tend: () => use((statements) => statements.tend()),
    [Symbol.dispose]: close,
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(db: Connection) {
  const docOf = db.prepare<[TaskId], number>('SELECT doc FROM tasks WHERE id = ?').pluck()
  const taken = db.prepare<[number], number>('SELECT doc FROM tasks WHERE doc = ?').pluck()
  const setTask = db.prepare<[number, TaskId, number]>(
    'INSERT INTO tasks (doc, id, version) VALUES (?, ?, ?) ON CONFLICT (doc) DO UPDATE SET version = excluded.version',
  )
  const names = [...kinds, 'facets'].join(', ')
  const setTexts = db.prepare<[number, ...string[]]>(
    `INSERT OR REPLACE INTO texts (rowid, ${names}) VALUES (?, ${kinds.map(() => '?').join(', ')}, ?)`,
  )
  const dropTask = db.prepare<[number]>('DELETE FROM tasks WHERE doc = ?')
  const dropTexts = db.prepare<[number]>('DELETE FROM texts WHERE rowid = ?')
  const findBy = (score: string) =>
    db.prepare<[string, number, number, number], Found>(
      `SELECT id, score, doc AS newness FROM tasks JOIN (SELECT rowid AS found, ${score} AS score FROM texts
       WHERE texts MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?) ON doc = found`,
    )
  const findBest = findBy(`-bm25(texts, ${kinds.map((kind) => weights[kind]).join(', ')}, 0)`)
  const findNewest = findBy('0.0')

  const addWord = db.prepare<[string]>('INSERT INTO words (term, uses) VALUES (?, 1) ON CONFLICT DO NOTHING')
  const countWord = db.prepare<[string]>(`UPDATE words SET uses = uses + ${counted} WHERE term = ?`)
  const usesOf = db.prepare<[string], number>('SELECT uses FROM words WHERE term = ?').pluck()
  const beginning = db
    .prepare<[string, string, number], string>(
      'SELECT term FROM words WHERE term >= ? AND term < ? ORDER BY uses DESC, term LIMIT ?',
    )
    .pluck()
  const merge = db.prepare<[number]>(`INSERT INTO texts (texts, rank) VALUES ('merge', ?)`)
  const changes = db.prepare<[], number>('SELECT total_changes()').pluck()

  let puts = 0
  const putWords = ({ document, status }: Entry): void => {
    // A task under way comes again.
    const rests = !activeStatuses.some((active) => active === status)
    if (rests) puts += 1
    for (const word of wordsIn(document)) {
      addWord.run(word)
      if (rests && puts % counted === 0) countWord.run(word)
    }
  }

  /** The number of a task: those that are newer have higher ones. */
  const numberFor = ({ id, createdAt }: Entry): number => {
    const known = docOf.get(id)
    if (known !== undefined) return known
    let doc = firstDoc(createdAt)
    while (taken.get(doc) !== undefined) doc += 1
    setTask.run(doc, id, 0)
    return doc
  }
  const put = db.transaction((entries: readonly Entry[], gone: readonly TaskId[]): void => {
    for (const id of gone) {
      const doc = docOf.get(id)
      if (doc === undefined) continue
      dropTask.run(doc)
      dropTexts.run(doc)
    }
    // In the order of their numbers, in which the index takes many at once.
    const numbered = entries.map((entry) => ({ entry, doc: numberFor(entry) }))
    for (const { entry, doc } of numbered.toSorted((a, b) => a.doc - b.doc)) {
      setTask.run(doc, entry.id, entry.version)
      setTexts.run(doc, ...kinds.map((kind) => entry.document[kind]), facetsOf(entry))
      putWords(entry)
    }
  })
  return {
    db,
    version: db.prepare<[TaskId], number>('SELECT version FROM tasks WHERE id = ?').pluck(),
    count: db.prepare<[], number>('SELECT count(*) FROM tasks').pluck(),
    ids: db.prepare<[], TaskId>('SELECT id FROM tasks').pluck(),
    put: (entries: readonly Entry[], gone: readonly TaskId[]): void => put.immediate(entries, gone),
    find(
      wanted: readonly Wanted[],
      request: SearchRequest,
      by: 'words' | 'beginnings',
      most: number,
    ): readonly Found[] {
      const { since = 0, until = latest } = request
      const expand: Expand = (text, limit) => beginning.all(text, `${text}\u{10ffff}`, limit)
      const ways = waysOf(wanted, by === 'words' ? null : expand)
      const cost = costOf(ways, (term) => usesOf.get(term) ?? 0)
      return (cost > mostCost ? findNewest : findBest).all(
        matchOf(ways, request),
        firstDoc(since),
        firstDoc(until),
        most,
      )
    },
    tend(): boolean {
      const before = changes.get() ?? 0
      merge.run(mergedPages)
      // It counts as one change itself.
      return (changes.get() ?? 0) - before >= 2
    },
  }
}

/** What it may cost to count the words of a query, as `costOf` says: four words that 100,000 tasks have. */
const mostCost = 400_000
/** So many pages of 4 kB are merged at a time. */
const mergedPages = 8

/** One in so many tasks is counted: to count all would write most of the table again with every transaction. */
const counted = 64

/** The words of a task that a beginning may stand for: what is typed by its beginning is no number, hash or blob. */
function wordsIn(document: Document): readonly string[] {
  const terms = new Set(kinds.flatMap((kind) => document[kind].split(' ')))
  return [...terms].filter(
    (term) => /^\p{L}.{2,31}$/u.test(term) && (term.length <= 8 || !/\p{N}/u.test(term)) && !isUnspaced(term),
  )
}

/** Tasks of one millisecond have so many numbers, and then those of the next. */
const perMillisecond = 8
const latest = Math.floor(Number.MAX_SAFE_INTEGER / perMillisecond) - 1

function firstDoc(at: Millis): number {
  return Math.min(Math.max(Math.trunc(at), 0), latest) * perMillisecond
}
