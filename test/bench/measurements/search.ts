import Database from 'better-sqlite3'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Bus } from '../../../control-plane/bus.ts'
import { Indexer } from '../../../control-plane/search/indexer.ts'
import { search as find, type SearchDeps } from '../../../control-plane/search/search.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { searchIndex } from '../../../control-plane/store/search/index.ts'
import { hostPath } from '../../../src/config/places.ts'
import type { SearchRequest } from '../../../src/domain/search/search.ts'
import { aTime } from '../../support/task.ts'
import { indexAll, manyTasks, typicalSearches } from '../many-tasks.ts'
import type { Measurement } from '../measurement.ts'
import { percentile } from '../statistics.ts'

const taskCount = 100_000
/** Each search is made with each of these. */
const filters: readonly Omit<SearchRequest, 'text'>[] = [
  {},
  { statuses: ['BLOCKED', 'FAILED'] },
  { repository: '/repositories/the/src' },
  { since: aTime + taskCount * 61_003 - 7 * 86_400_000 },
]

/** Searches of all kinds among many tasks, against one that looks for the text in every goal. */
export const search: Measurement = {
  names: ['search'],
  rounds: 10,
  async run(lab, rounds) {
    const folder = lab.fresh('search')
    lab.say(`making ${taskCount} tasks`)
    manyTasks(folder, taskCount)
    const file = hostPath(join(folder, 'search.db'))
    lab.say('indexing them')
    const begun = performance.now()
    await indexAll(folder)
    const took = performance.now() - begun
    using store = openStore(hostPath(join(folder, 'cofferdam.db')))
    using index = searchIndex(file)
    using indexer = new Indexer({ store, index, bus: new Bus(), log: { warn: () => undefined } })
    const deps = { store, index, indexer }
    const floor = goalsWith(join(folder, 'cofferdam.db'))
    lab.atEnd(() => floor[Symbol.dispose]())
    const times = new Map<string, number[]>()
    const floors: number[] = []
    // The first round is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [kind, texts] of Object.entries(typicalSearches())) {
        const measured = await timesOf(deps, floor, texts)
        if (round === 0) continue
        times.set(kind, [...(times.get(kind) ?? []), ...measured.ours])
        floors.push(...measured.floors)
        await setImmediate()
      }
    }
    const all = [...times.values()].flat()
    const slowest = [...times].map(
      ([kind, own]) => `${kind} ${percentile(own, 0.5).toFixed(1)} (${percentile(own, 0.99).toFixed(1)})`,
    )
    return {
      measured: [
        {
          name: 'search',
          value: percentile(all, 0.99),
          unit: 'ms',
          floor: percentile(floors, 0.99),
          reach: { of: 'value', limit: 'most', than: 50 },
        },
      ],
      notes: [
        `p99 of ${all.length} among ${taskCount} tasks, p50 ${percentile(all, 0.5).toFixed(1)} ms; the floor reads goals alone`,
        `p50 (p99) by kind, ms: ${slowest.join(', ')}`,
        `the index was made in ${(took / 1000).toFixed(0)} s and has ${(statSync(file).size / 1e6).toFixed(0)} MB`,
      ],
    }
  },
}

interface Times {
  readonly ours: readonly number[]
  readonly floors: readonly number[]
}

/** The newest tasks whose goal has a text in it, without an index. */
function goalsWith(file: string): Disposable & { find(text: string): readonly unknown[] } {
  const db = new Database(file, { readonly: true })
  const newest = db.prepare<[string]>(
    'SELECT id, goal FROM runtime_tasks WHERE instr(lower(goal), ?) > 0 ORDER BY created_at DESC LIMIT 20',
  )
  return { find: (text) => newest.all(text.toLowerCase()), [Symbol.dispose]: () => db.close() }
}

async function timesOf(
  deps: SearchDeps,
  floor: ReturnType<typeof goalsWith>,
  texts: readonly string[],
): Promise<Times> {
  const ours: number[] = []
  const floors: number[] = []
  for (const text of texts) {
    for (const filter of filters) {
      const begun = performance.now()
      JSON.stringify(await find(deps, { ...filter, text }))
      ours.push(performance.now() - begun)
    }
    const begun = performance.now()
    floor.find(text)
    floors.push(performance.now() - begun)
  }
  return { ours, floors }
}
