import { join } from 'node:path'
import { Bus } from '../../../control-plane/bus.ts'
import { Indexer } from '../../../control-plane/search/indexer.ts'
import { search } from '../../../control-plane/search/search.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { type SearchIndex, searchIndex } from '../../../control-plane/store/search/index.ts'
import type { Change, Store } from '../../../control-plane/store/store.ts'
import type { SearchAnswer, SearchRequest } from '../../../src/domain/search/search.ts'
import type { Task } from '../../../src/domain/task.ts'
import { birth } from '../../support/change.ts'
import { aTask, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Home, hostPath, makeHome } from '../store/home.ts'

/** A store with its search, as the control plane has them. */
export interface SearchLab extends Disposable {
  readonly home: Home
  readonly store: Store
  readonly index: SearchIndex
  readonly warnings: readonly string[]
  write(change: Change): Task
  /** Tasks made one minute after the other, numbered from 0. */
  made(...tasks: readonly Partial<Task>[]): readonly Task[]
  search(request: string | SearchRequest): Promise<SearchAnswer>
  /** The numbers of the tasks that are found, in order. */
  found(request: string | SearchRequest): Promise<readonly number[]>
  /** As a process that ends and another that begins. */
  reopen(): void
  close(): void
}

export function searchLab(home = makeHome()): SearchLab {
  const file = hostPath(join(home.folder, 'search.db'))
  const warnings: string[] = []
  const log = { warn: (_: object, text: string) => void warnings.push(text) }
  const bus = new Bus()
  const open = () => {
    const store = openStore(home.file)
    const index = searchIndex(file)
    return { store, index, indexer: new Indexer({ store, index, bus, log }) }
  }
  let opened = open()
  const close = (): void => {
    opened.indexer[Symbol.dispose]()
    opened.index[Symbol.dispose]()
    opened.store[Symbol.dispose]()
  }
  let count = 0
  const write = (change: Change): Task => {
    const written = opened.store.write(change)
    if (written.kind === 'lost') throw new Error('nobody else writes here')
    bus.changed(written.task, change.event.type)
    return written.task
  }
  const find: SearchLab['search'] = (request) =>
    search(opened, typeof request === 'string' ? { text: request } : request)
  return {
    home,
    get store() {
      return opened.store
    },
    get index() {
      return opened.index
    },
    warnings,
    write,
    made: (...tasks) =>
      tasks.map((fields) => {
        const number = count
        count += 1
        const task = aTask({ id: aTaskIdOf(number), createdAt: aTime + number * 60_000, ...fields })
        return write(birth(task))
      }),
    search: find,
    async found(request) {
      const numbers = new Map(Array.from({ length: count }, (_, number) => [aTaskIdOf(number), number]))
      return (await find(request)).hits.map(({ task }) => numbers.get(task.id) ?? -1)
    },
    reopen() {
      close()
      opened = open()
    },
    close,
    [Symbol.dispose]() {
      close()
      home[Symbol.dispose]()
    },
  }
}
