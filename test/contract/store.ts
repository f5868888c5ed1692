import { describe } from 'vitest'
import { setBench, type StoreHome } from './store/bench.ts'
import { checkpoints } from './store/checkpoints.ts'
import { heartbeats } from './store/heartbeats.ts'
import { interleaving } from './store/interleaving.ts'
import { outbox } from './store/outbox.ts'
import { races } from './store/races.ts'
import { reading } from './store/reading.ts'
import { messages } from './store/messages.ts'
import { records } from './store/records.ts'
import { surfaces } from './store/surfaces.ts'
import { tasks } from './store/tasks.ts'
import { together } from './store/together.ts'

/** What every store must do. `make` gives an empty home for one test. */
export function storeContract(name: string, make: () => StoreHome): void {
  describe(`a store: ${name}`, () => {
    const bench = setBench(make)
    tasks(bench)
    races(bench)
    together(bench)
    surfaces(bench)
    checkpoints(bench)
    heartbeats(bench)
    reading(bench)
    records(bench)
    messages(bench)
    outbox(bench)
    interleaving(bench)
  })
}
