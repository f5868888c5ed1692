import Database from 'better-sqlite3'
import { join } from 'node:path'
import { Bus } from '../../control-plane/bus.ts'
import { Indexer } from '../../control-plane/search/indexer.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { searchIndex } from '../../control-plane/store/search/index.ts'
import { hostPath } from '../../src/config/places.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { statuses } from '../../src/domain/task.ts'
import { birth } from '../support/change.ts'
import { aCheckpoint, aTask, aTaskId, aTaskIdOf, aTime } from '../support/task.ts'

const syllables = 'ka re mo ti sen pra lo vi qu zen dor mi fal ster bon chi eth gra num ix'.split(' ')
const real =
  'the fix test add parser in to a login of error update retry cache flaky build config page user token index'.split(
    ' ',
  )
const vocabulary = [
  ...real,
  ...Array.from({ length: 20_000 }, (_, index) => {
    const digits = Array.from((index + 400).toString(20), (digit) => Number.parseInt(digit, 20))
    return digits.map((digit) => syllables[digit] ?? '').join('')
  }),
]
const letters = Array.from({ length: 3000 }, (_, index) => String.fromCodePoint(0x4e00 + 5 * index))

/** Few words are in most texts and most words in few: as in a language. The same at every run. */
class Author {
  #state = 42

  number(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * below)
  }

  of<T>(items: readonly T[]): T {
    const item = items[Math.floor(items.length ** (this.number(1_000_000) / 1_000_000)) - 1]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.of(vocabulary)).join(' ')
  }

  chinese(count: number): string {
    return Array.from({ length: count }, () => this.of(letters)).join('')
  }
}

/**
 * Fills a database with tasks as people have them: a goal (one in four Chinese), four events, a step with what its agent
 * said, the paths that it changed and the end of its test's output. One transaction, beside the store: a minute less.
 */
export function manyTasks(folder: string, count: number): void {
  const file = join(folder, 'cofferdam.db')
  using store = openStore(hostPath(file))
  store.write(birth(aTask({ policy: defaultPolicy }), { checkpoint: aCheckpoint({ state: 'kept' }) }))
  const db = new Database(file)
  try {
    const copy = copier(db)
    const author = new Author()
    db.transaction(() => {
      for (let number = 1; number <= count; number += 1) copyTask(copy, author, number)
    })()
  } finally {
    db.close()
  }
}

/** Indexes all tasks of a folder for search. */
export async function indexAll(folder: string): Promise<void> {
  using store = openStore(hostPath(join(folder, 'cofferdam.db')))
  using index = searchIndex(hostPath(join(folder, 'search.db')))
  using indexer = new Indexer({ store, index, bus: new Bus(), log: { warn: () => undefined } })
  await indexer.ready(Infinity)
  while (index.tend());
}

type Cells = Readonly<Record<string, string | number>>
type Copy = (table: string, cells: Cells) => void

/** Inserts the first row of a table once more, with other cells. */
function copier(db: Database.Database): Copy {
  const made = new Map<string, (cells: Cells) => void>()
  return (table, cells) => {
    const known = made.get(table)
    if (known !== undefined) return known(cells)
    const first = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table} LIMIT 1`).get() ?? {}
    const names = Object.keys(first)
    const insert = db.prepare<[Record<string, unknown>]>(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`,
    )
    const act = (own: Cells): void => void insert.run({ ...first, ...own })
    made.set(table, act)
    act(cells)
  }
}

function copyTask(copy: Copy, author: Author, number: number): void {
  const id = aTaskIdOf(number)
  const chinese = number % 4 === 0
  const goal = chinese ? `${author.chinese(16)}，${author.chinese(8)}` : `fix the ${author.words(12)}`
  const status = number % 500 === 7 ? 'BLOCKED' : number % 10 < 7 ? 'APPLIED' : author.of(statuses.slice(4))
  copy('runtime_tasks', {
    id,
    goal,
    request: goal,
    status,
    repository_path: `/repositories/${author.of(vocabulary.slice(0, 20))}`,
    branch: `cofferdam/${id}`,
    created_at: aTime + number * 61_003,
    updated_at: aTime + number * 61_003 + 60_000,
    head: commitOf(author),
    ...(status === 'APPLIED' ? {} : { halt: JSON.stringify({ reason: 'agent', text: author.words(8) }) }),
  })
  const commit = commitOf(author)
  const events = [
    'Submitted.',
    'Step 1/8: the agent starts.',
    `2 files changed (+${author.number(50)} −${author.number(50)}).`,
    `Checkpoint ${commit.slice(0, 10)} after step 1/8. ${author.words(4)}`,
  ]
  for (const [index, text] of events.entries())
    copy('runtime_task_events', { task_id: id, seq: index + 1, step: index === 0 ? 0 : 1, text })
  const paths = [1, 2].map(() => `src/${author.of(vocabulary)}/${author.of(vocabulary)}.ts`)
  copy('runtime_task_checkpoints', {
    task_id: id,
    step: 1,
    commit_id: commit,
    agent: JSON.stringify({
      text: `I fixed the ${author.words(60)} ${chinese ? author.chinese(60) : ''}`,
      marker: { state: 'DONE' },
    }),
    test: JSON.stringify({
      tail: Array.from(
        { length: 15 },
        (_, index) => `ok ${index} - test ${author.of(vocabulary)} passed in ${author.number(99)} ms`,
      ).join('\n'),
    }),
    candidate: JSON.stringify({ paths, leftOut: [] }),
  })
}

function commitOf(author: Author): string {
  return Array.from({ length: 40 }, () => author.number(16).toString(16)).join('')
}

/** What a person would look for in them, by the kind of search. */
export function typicalSearches(): Readonly<Record<string, readonly string[]>> {
  const [id, other] = [aTaskIdOf(777), aTaskIdOf(99_000)]
  const [one, two, three] = [letters[3] ?? '', letters[5] ?? '', letters[2] ?? '']
  const word = (place: number): string => vocabulary[place] ?? ''
  return {
    'a common word': ['test', 'fix', 'passed'],
    'three common words': ['fix test passed', 'the login error'],
    'a rare word': [word(9000), word(15_000)],
    'two words': [`${word(60)} ${word(300)}`, `parser ${word(800)}`],
    'a beginning': ['pas', 'conf', word(5000).slice(0, 4), 'tes log'],
    'a phrase': ['"test passed"', '"fix the"', 'agent-starts'],
    'a path': [`src/${word(30)}`, `${word(12)}.ts`],
    'an id': [id, other, aTaskId],
    'one Chinese letter': [one, letters[40] ?? ''],
    'two Chinese letters': [one + two, two + three],
    'three Chinese letters': [one + two + three],
    'many words': [vocabulary.slice(0, 30).join(' ')],
    punctuation: ['C++', '*', '"', 'foo-bar', "it's"],
    nothing: ['zzzzzz', 'fix zzzzzz'],
  }
}
