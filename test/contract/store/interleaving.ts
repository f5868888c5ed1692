import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Store } from '../../../control-plane/store/store.ts'
import type { Task } from '../../../src/domain/task.ts'
import { change, claim } from '../../support/change.ts'
import { aSurface } from '../../support/surface.ts'
import { aCheckpoint, aPerson, aTask, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, beat, present } from './bench.ts'

/** Any order of deeds by several people and processes. */
export function interleaving(bench: Bench): void {
  it('keeps its promises when several work on one task in any order', () => {
    let number = 1000
    fc.assert(
      fc.property(fc.array(anyDeed, { maxLength: 40 }), (deeds) => {
        const id = aTaskIdOf(number++)
        const task = bench.born(aTask({ id }), { surface: { open: aSurface({ id, taskId: id }) } })
        const model = new Model(bench.store, task)
        expect(deeds.filter((deed) => !model.does(deed))).toEqual([])
        expect(model.found()).toEqual(model.wanted())
      }),
      { numRuns: 60 },
    )
  })
}

/** Something that one of three people or processes does, each with its own, perhaps old, view of the task. */
type Deed =
  | { readonly who: number; readonly what: 'look' | 'claim' | 'requeue' | 'use' }
  | { readonly who: number; readonly what: 'report' | 'beat'; readonly ms: number }

const who = fc.nat(2)
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ who, what: fc.constantFrom('look', 'claim', 'requeue', 'use') }),
  fc.record({ who, what: fc.constantFrom('report', 'beat'), ms: fc.nat(500) }),
)

/** Does deeds on a store and knows what must have come of them. */
class Model {
  private readonly store: Store
  private readonly id: Task['id']
  private readonly views: Task[]
  private spent = 0
  private version = 1
  private fence = 0
  private uses = 0

  constructor(store: Store, task: Task) {
    this.store = store
    this.id = task.id
    this.views = [task, task, task]
  }

  /** Whether it came out as it must. */
  does(deed: Deed): boolean {
    const view = this.views[deed.who]
    if (view === undefined) throw new Error('three take part')
    switch (deed.what) {
      case 'look':
        this.views[deed.who] = present(this.store.task(this.id))
        return true
      case 'claim':
        return view.status !== 'PENDING' || this.tries(deed.who, view, claim(view, aTime))
      case 'requeue': {
        if (view.status !== 'RUNNING') return true
        return this.tries(deed.who, view, change(view, { status: 'PENDING', leaseUntil: null }))
      }
      case 'use': {
        const use = { id: this.id, action: 'approve', actor: aPerson, text: null, at: aTime }
        const asked = change(view, {}, { surface: { use } })
        return this.tries(deed.who, view, asked, this.uses === 0, () => (this.uses += 1))
      }
      case 'report': {
        if (view.status !== 'RUNNING') return true
        const spent = { ...view.spent, ms: view.spent.ms + deed.ms }
        const checkpoint = aCheckpoint({ taskId: this.id, fence: view.fence })
        const report = change(view, { spent }, { checkpoint })
        return this.tries(deed.who, view, report, true, () => (this.spent += deed.ms))
      }
      case 'beat':
        break
    }
    return this.beats(view.fence, deed.ms)
  }

  found() {
    const { version, fence, spent } = present(this.store.task(this.id))
    const events = this.store.events(this.id, 0, 1000)
    return {
      version,
      fence,
      spent: spent.ms,
      seqs: events.map(({ seq }) => seq),
      // Where an event starts, the one before it has ended.
      joints: events.slice(1).filter(({ from }, index) => from !== events[index]?.to),
      open: this.store.openSurface(this.id) !== null,
    }
  }

  wanted(): ReturnType<Model['found']> {
    const { version, fence, spent } = this
    const seqs = Array.from({ length: version }, (_, index) => index + 1)
    return { version, fence, spent, seqs, joints: [], open: this.uses === 0 }
  }

  private tries(
    by: number,
    view: Task,
    asked: ReturnType<typeof change>,
    may = true,
    then: () => unknown = () => undefined,
  ): boolean {
    const wins = may && view.version === this.version
    const written = this.store.write(asked).kind === 'written'
    if (written) {
      this.version += 1
      this.fence = asked.after.fence
      this.views[by] = asked.after
      then()
    }
    return written === wins
  }

  private beats(fence: number, chargeMs: number): boolean {
    const now = present(this.store.task(this.id))
    const open = this.store.openCheckpoint(this.id) !== null || chargeMs === 0
    const counts = now.status === 'RUNNING' && fence === this.fence && open
    if (counts) this.spent += chargeMs
    return this.store.heartbeat(this.id, fence, beat({ chargeMs })) === counts
  }
}
