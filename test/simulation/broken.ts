import type { Change, Store } from '../../control-plane/store/store.ts'
import { type Along, type Reported, Tasks } from '../../control-plane/tasks.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Input } from '../../src/domain/input.ts'
import type { invariants } from './invariants.ts'
import type { Broken } from './process.ts'

/** The invariants that are held against every write, and those that are looked at beside or after them. */
type Name =
  | keyof typeof invariants
  | 'lanes'
  | 'order'
  | 'lost'
  | 'decisions'
  | 'rest'
  | 'boxes'
  | 'doubled'
  | 'branch'
  | 'delivery'
  | 'proposed'
  | 'published'
  | 'attested'

/** For each invariant something that breaks it, as a mistake in the product might. */
export const broken: Readonly<Record<Name, Broken>> = {
  // The gate over the tree is passed by.
  transitions: onEvent('agent_finished', (change) => afterwards(change, { phase: 'candidate' })),
  final: onEvent('discarded', (change) => afterwards(change, { status: 'STOPPED' })),
  fences: onEvent('claimed', (change) => afterwards(change, { fence: change.before?.fence ?? 0 })),
  // Whoever was at work goes on with it.
  stale: {
    tasks: class extends Tasks {
      override report(id: TaskId, _: number, input: Input, along: Along = {}): Reported {
        return super.report(id, this.get(id).fence, input, along)
      }
    },
  },
  nonces: onEvent('approved', ({ surface: _, ...change }) => change),
  budgets: {
    store: (store) => ({
      ...store,
      heartbeat: (id, fence, beat) => store.heartbeat(id, fence, { ...beat, chargeMs: beat.chargeMs * 10 }),
    }),
  },
  steps: onEvent('checkpointed', (change) => {
    const { spent } = change.after
    return afterwards(change, { spent: { ...spent, steps: spent.steps + 1 } })
  }),
  // The work of a step is lost.
  checkpoints: onEvent('checkpointed', (change) => afterwards(change, { head: change.after.base.commit })),
  sound: {
    worktrees: (worktrees) => ({
      ...worktrees,
      verify: () => Promise.reject(new TypeError('x is not a function')),
    }),
  },
  letters: onEvent('checkpointed', ({ letters: _, ...change }) => change),
  schedules: onEvent('submitted', ({ scheduled: _, ...change }) => change),
  // A pause or the lease of another is not waited for.
  lanes: claimingAs((store, name, now, lease) => store.outbox.claim(name, now + 40_000, lease)),
  // The second is taken while the first still waits.
  order: claimingAs((store, name, now, lease) => {
    const { outbox } = store
    const [first, second] = outbox.letters({ states: ['waiting'], destination: name }).toReversed()
    if (first === undefined || second === undefined) return outbox.claim(name, now, lease)
    outbox.move(first, { ...first, state: 'discarded' })
    const claimed = outbox.claim(name, now, lease)
    outbox.move({ ...first, state: 'discarded' }, first)
    return claimed
  }),
  lost: {
    destination: (destination) => ({
      ...destination,
      deliver: (letter, signal) =>
        letter.attempts > 1 ? Promise.resolve({ kind: 'delivered' }) : destination.deliver(letter, signal),
    }),
  },
  decisions: {
    store: (store) => ({
      ...store,
      write: (change) =>
        change.event.type === 'steered' ? { kind: 'written', task: change.after } : store.write(change),
    }),
  },
  // What was put back into the queue is forgotten there.
  rest: {
    store: (store) => ({
      ...store,
      oldestPending(except, only) {
        const found = store.oldestPending(except, only)
        return found === null || found.fence > 0 ? null : found
      },
    }),
  },
  boxes: { engine: (engine) => ({ ...engine, remove: () => Promise.resolve() }) },
  // What a lost attempt has left is not undone.
  doubled: { worktrees: (worktrees) => ({ ...worktrees, restore: () => Promise.resolve() }) },
  branch: { worktrees: (worktrees) => ({ ...worktrees, handover: () => Promise.resolve() }) },
  // A branch that somebody has moved is moved all the same.
  delivery: {
    worktrees: (worktrees) => ({
      ...worktrees,
      move: (place, move) =>
        worktrees.move(place, move).then((moved) => (moved.kind === 'elsewhere' ? { kind: 'moved' } : moved)),
    }),
  },
  // What was opened by a call whose answer was lost is not looked for.
  proposed: {
    forge: (forge) => ({
      ...forge,
      find: () => Promise.resolve([]),
      async open(request, signal) {
        await forge.open(request, signal)
        throw new Failure('busy', 'The answer is lost.')
      },
    }),
  },
  published: { worktrees: (worktrees) => ({ ...worktrees, push: async () => ({ kind: 'pushed' }) }) },
  questions: onEvent('answered', (change) => afterwards(change, { answer: null })),
  attested: onEvent('handed_over', ({ standing: _, ...change }) => change),
}

function onEvent(type: string, alter: (change: Change) => Change): Broken {
  return {
    store: (store) => ({
      ...store,
      write: (change) => store.write(change.event.type === type ? alter(change) : change),
    }),
  }
}

function afterwards(change: Change, fields: Partial<Change['after']>): Change {
  return { ...change, after: { ...change.after, ...fields } }
}

function claimingAs(
  claim: (
    store: Store,
    ...args: Parameters<Store['outbox']['claim']>
  ) => ReturnType<Store['outbox']['claim']>,
): Broken {
  return {
    store: (store) => ({
      ...store,
      outbox: { ...store.outbox, claim: (name, now, lease) => claim(store, name, now, lease) },
    }),
  }
}
