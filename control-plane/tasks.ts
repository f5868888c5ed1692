import { randomBytes } from 'node:crypto'
import type { SignedAttestation } from '../src/domain/attestation.ts'
import { Failure } from '../src/domain/failure.ts'
import { isPassing, type TaskId, taskId } from '../src/domain/ids.ts'
import type { Input } from '../src/domain/input.ts'
import type { Destination } from '../src/domain/outbox/destination.ts'
import { lettersOf } from '../src/domain/outbox/write.ts'
import type { Actor, Checkpoint, Task } from '../src/domain/task.ts'
import { givesBack, possibleNow, transition } from '../src/domain/transition/apply.ts'
import type { Attestor } from './attest/attestor.ts'
import type { Bus } from './bus.ts'
import { openSurface } from './gate/surfaces.ts'
import { tooLate, whoDecided } from './gate/too-late.ts'
import type { Lost, ScheduledRun, Store, Surface, SurfaceChange, Written } from './store/store.ts'

export interface TasksDeps {
  readonly store: Store
  readonly bus: Bus
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** What is on record about a task is attested with each change. */
  readonly attestor: Pick<Attestor, 'changing'>
  /** Who is told of what happens. */
  readonly destinations?: readonly Destination[]
  /** Whether pull requests of a repository can be opened; absent is of none. */
  readonly proposes?: (repository: string) => boolean
}

/** What is written together with a transition. */
export interface Along {
  /** The rows of attempts that change; the one under way, if any, comes last. */
  readonly checkpoints?: readonly Checkpoint[]
  readonly surface?: SurfaceChange
  /** What a step came to. */
  readonly attestation?: SignedAttestation
  readonly data?: Readonly<Record<string, unknown>>
  /** The run of a schedule that a new task is. */
  readonly scheduled?: ScheduledRun
}

export type Reported =
  | { readonly kind: 'written'; readonly task: Task }
  /** Nothing was written: the fence is old, or the task is in another state by now. */
  | { readonly kind: 'refused'; readonly text: string }

const decisions: ReadonlySet<Input['type']> = new Set<Input['type']>([
  'approved',
  'rejected',
  'suggested',
  'merge_decided',
  'pull_decided',
  'undo_decided',
])

/** What an event says. */
interface Happened {
  readonly type: string
  readonly actor: Actor
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

const systemActor: Actor = { kind: 'system', id: 'control-plane' }

/** The only way a task is born or changes. Every change is one transition and one transaction. */
export class Tasks {
  readonly #deps: TasksDeps

  constructor(deps: TasksDeps) {
    this.#deps = deps
  }

  /** A new id that no task has. */
  freshId(): TaskId {
    for (;;) {
      const id = taskId(randomBytes(10))
      if (!isPassing(id) && this.#deps.store.task(id) === null) return id
    }
  }

  /** Writes a new task, in DRAFT or PENDING. */
  birth(task: Task, text: string, along: Along = {}): Task {
    this.bear(task, text, along)
    return task
  }

  /** The same for one that may come too late: its id is taken, or the run that it is has been decided. */
  bear(task: Task, text: string, along: Along): Written | Lost {
    const data = { ...along.data, risks: task.risks }
    return this.#write(null, task, { type: 'submitted', actor: task.createdBy, text, data }, along)
  }

  /**
   * Applies what a person did. Throws `Failure('conflict')` with what is possible instead, and with who decided what
   * where somebody was faster.
   * @param expected the revision that the person was shown; null where the act is bound to none
   */
  act(
    id: TaskId,
    input: Input,
    actor: Actor,
    along: (task: Task, next: Task) => Along = () => ({}),
    expected: number | null = null,
  ): Task {
    const task = this.get(id)
    const changed = transition(task, input, this.#deps.clock(), this.#proposes(task))
    if (changed.kind === 'refused')
      throw new Failure('conflict', `${changed.text}${this.#decided(task, input)}`)
    if (expected !== null && expected !== task.revision) {
      const text = `Task ${id} changed since it was shown (revision ${expected}, now ${task.revision})`
      throw new Failure('conflict', `${text}: look at it and decide again.`)
    }
    const extra = along(task, changed.task)
    const event = { type: input.type, actor, text: changed.text, data: extra.data ?? {} }
    const written = this.#change(task, changed.task, event, extra)
    if (written.kind === 'lost') throw new Failure('conflict', tooLate(task, written))
    return written.task
  }

  /** Offers a decision anew in the place of those that are open. Nothing is written where somebody was faster. */
  offer(task: Task, open: Surface, actor: Actor): void {
    const at = this.#deps.clock()
    const after = { ...task, version: task.version + 1, updatedAt: at }
    const event = { type: 'offered', actor, text: 'Offered for a decision again.', data: {} }
    this.#write(task, after, event, { surface: { closeAll: true, open } })
  }

  /** Applies what the loop found out, unless the fence is old or the state no longer allows it. */
  report(id: TaskId, fence: number, input: Input, along: Along = {}): Reported {
    const task = this.#deps.store.task(id)
    if (task === null) return { kind: 'refused', text: `Task ${id} is gone.` }
    if (task.fence !== fence)
      return { kind: 'refused', text: `Fence ${fence} is old, the task has ${task.fence}.` }
    const changed = transition(task, input, this.#deps.clock())
    if (changed.kind === 'refused') return changed
    const event = { type: input.type, actor: systemActor, text: changed.text, data: along.data ?? {} }
    const written = this.#change(task, changed.task, event, along)
    return written.kind === 'written' ? written : { kind: 'refused', text: 'Lost a race.' }
  }

  get(id: TaskId): Task {
    const task = this.#deps.store.task(id)
    if (task === null)
      throw new Failure('not_found', `There is no task ${id}: \`cofferdam task list\` shows those there are.`)
    return task
  }

  /** What is possible instead, as a sentence. */
  possibleNow(task: Task): string {
    return possibleNow(task, this.#proposes(task))
  }

  #proposes({ repository }: Task): boolean {
    return this.#deps.proposes?.(repository.path) ?? false
  }

  /** Who has decided on the task before, for one who wanted to; '' where nobody has. */
  #decided({ id }: Task, { type }: Input): string {
    if (!decisions.has(type)) return ''
    const last = this.#deps.store.lastDecision(id)
    return last === null ? '' : ` ${whoDecided(last)}`
  }

  /** What a change of a task means for the one whose work it was made to change is in the same transaction. */
  #change(before: Task, after: Task, event: Happened, along: Along): Written | Lost {
    const parent = givesBack(before, after) ? before.parentTaskId : null
    if (parent === null) return this.#write(before, after, event, along)
    const { store, bus } = this.#deps
    const both = (): Written | Lost => {
      const written = this.#write(before, after, event, along)
      if (written.kind === 'written') this.#giveBack(parent, after.id, event.actor)
      return written
    }
    const [outcome] = store.together([() => bus.held(both)])
    if (outcome === undefined) throw new Error('nothing was written')
    if (outcome.status === 'rejected') throw outcome.reason
    outcome.value.tell()
    return outcome.value.result
  }

  /** Nothing is written where its work is not superseded. */
  #giveBack(id: TaskId, by: TaskId, actor: Actor): void {
    const now = this.#deps.clock()
    const task = this.#deps.store.task(id)
    const changed = task === null ? null : transition(task, { type: 'given_back', by }, now)
    if (task === null || changed?.kind !== 'changed') return
    const event = { type: 'given_back', actor, text: changed.text, data: { by } }
    const surface = { closeAll: true, open: openSurface(changed.task, now) }
    const written = this.#write(task, changed.task, event, { surface })
    if (written.kind === 'lost') throw new Error(`task ${id} could not be given back`)
  }

  #write(before: Task | null, after: Task, event: Happened, along: Along): Written | Lost {
    const checkpoint = along.checkpoints?.at(-1)
    const { destinations = [] } = this.#deps
    const written = this.#deps.store.write({
      before,
      after,
      event: { ...event, at: this.#deps.clock() },
      letters: (happened, task) => lettersOf(destinations, happened, task),
      ...(checkpoint === undefined ? {} : { checkpoint, close: along.checkpoints?.slice(0, -1) ?? [] }),
      ...(along.surface === undefined ? {} : { surface: along.surface }),
      ...(along.scheduled === undefined ? {} : { scheduled: along.scheduled }),
      ...(along.attestation === undefined ? {} : { attestation: along.attestation }),
      ...this.#deps.attestor.changing(),
    })
    if (written.kind === 'written') this.#deps.bus.changed(written.task, event.type)
    return written
  }
}
