import type { Caller } from '../../src/domain/caller.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import { decisionId } from '../../src/domain/decision.ts'
import type { MergeWay } from '../../src/domain/delivery/merge.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { TaskRequest } from '../../src/domain/intake.ts'
import type { QuestionRequest } from '../../src/domain/question/request.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Machine } from './machine.ts'
import { type ControlPlaneProcess, nonceKey } from './process.ts'
import type { Random } from './random.ts'
import type { View } from './view.ts'

const ada: Caller = { actor: { kind: 'local', id: 'ada' }, role: 'owner' }
const bob: Caller = { actor: { kind: 'discord', id: '42' }, role: 'owner' }
const ci: Caller = { actor: { kind: 'token', id: 'ci' }, role: 'operator' }
const eve: Caller = { actor: { kind: 'discord', id: '666' }, role: 'viewer' }
const schedule = 'often'
const everybody = [ada, ada, bob, ci, eve] as const

/** What an act of a person is on record as. */
const eventOf: Readonly<Record<Act['act'], readonly string[]>> = {
  approve: ['approved'],
  reject: ['rejected'],
  suggest: ['suggested', 'resumed'],
  steer: ['steered'],
  stop: ['stopped'],
  pause: ['paused'],
  resume: ['resumed'],
  discard: ['discarded'],
  merge: ['merge_decided'],
  'pull-request': ['pull_decided'],
  undo: ['undo_decided'],
  'pull-ended': ['pull_merged', 'pull_closed'],
}

/** What applied work can be, where something is to be decided about it. */
const deliverable: ReadonlySet<string> = new Set([
  'none',
  'merged',
  'undone',
  'conflict',
  'rejected',
  'pr_closed',
])

const accept = ['unread', 'foreign'] as const
const proposed = (draft: boolean | null): Act => ({ act: 'pull-request', into: 'main', draft, accept })
const merging = (how: MergeWay | null): Act => ({ act: 'merge', into: 'main', how, accept })

/** What somebody did, and what they heard of it: nothing, where the process died over it. */
interface Done {
  readonly task: TaskId
  readonly act: Act['act']
  readonly actor: string
  heard: 'nothing' | 'yes' | 'no'
}

/** People with their buttons, some of them old. They do things at random, and remember what they were told. */
export class People {
  readonly #random: Random
  readonly #machine: Machine
  readonly #view: (id: TaskId) => View | null
  readonly #done: Done[] = []
  /** Buttons that anybody has seen. */
  readonly #buttons = new Map<string, { readonly task: TaskId; used: boolean }>()
  readonly #tasks: TaskId[] = []
  readonly #requests = new Map<string, TaskRequest>()
  readonly #questions = new Map<string, QuestionRequest>()
  broken: string | null = null

  constructor(random: Random, machine: Machine, view: (id: TaskId) => View | null) {
    this.#random = random
    this.#machine = machine
    this.#view = view
  }

  /** One of them does something. @returns what, for the history */
  doSomething(process: ControlPlaneProcess): string {
    const random = this.#random
    if (random.chance(0.15)) return this.#plan(process)
    if (random.chance(0.1)) return this.#ask(process)
    if (this.#tasks.length === 0 || (this.#requests.size < 3 && random.chance(0.3)))
      return this.#submit(process)
    const id = random.pick(this.#tasks)
    const caller = random.pick(everybody)
    return random.chance(['DRAFT', 'APPLIED'].includes(this.#view(id)?.task.status ?? '') ? 0.7 : 0.2)
      ? this.#press(process, id, caller)
      : this.#act(process, id, caller)
  }

  /** Asks for work that most likely comes to something. */
  askForMore(process: ControlPlaneProcess): string {
    for (const key of ['more 1', 'more 2', 'more 3']) {
      const budget = { steps: 8, minutes: 20 }
      const request = { ...this.#request(), goal: 'Fix the bug', budget, draft: false }
      void this.#submitted(process, request, ada, key)
    }
    return 'ada asks for more work'
  }

  /** Decides about the work of an applied task, where there is one. */
  deliver(process: ControlPlaneProcess): string | null {
    const random = this.#random
    const deliveryOf = (id: TaskId): string => {
      const task = this.#view(id)?.task
      return task?.status === 'APPLIED' && task.kind !== 'question' ? task.delivery : ''
    }
    const applied = this.#tasks.filter((id) => deliverable.has(deliveryOf(id)))
    if (applied.length === 0) return null
    const id = random.pick(applied)
    if (random.chance(0.4)) return this.#press(process, id, ada)
    const how = random.pick([null, 'squash', 'fast-forward'] as const)
    const undoes = random.chance(deliveryOf(id) === 'merged' ? 0.8 : 0.1)
    const proposes = random.chance(0.3)
    const delivers = proposes ? proposed(random.pick([null, false])) : merging(how)
    return this.#do(process, id, ada, undoes ? { act: 'undo' } : delivers)
  }

  /** What is wrong with what they were told, once all is over; null where nothing is. */
  unheard(id: TaskId): string | null {
    const events = this.#view(id)?.events ?? []
    for (const { act, actor } of this.#done.filter(({ task }) => task === id)) {
      const same = this.#done.filter((done) => done.task === id && done.actor === actor)
      const alike = same.filter((done) => eventOf[done.act].some((type) => eventOf[act].includes(type)))
      const types = new Set(alike.flatMap((done) => eventOf[done.act]))
      const written = events.filter((event) => types.has(event.type) && event.actor === actor).length
      const sure = alike.filter(({ heard }) => heard === 'yes').length
      const most = alike.filter(({ heard }) => heard !== 'no').length
      if (written < sure) return `decisions: ${sure} times ${act} was confirmed, and ${written} are on record`
      if (written > most) return `decisions: ${most} times ${act} was asked for, and ${written} are on record`
    }
    return null
  }

  /** Makes a schedule, has it run now, disables it or enables it. */
  #plan({ plane: { schedules } }: ControlPlaneProcess): string {
    const random = this.#random
    const words = { every: '1m', missed: random.pick(['skip', 'once'] as const), enabled: true } as const
    const overlap = random.pick(['skip', 'queue', 'allow'] as const)
    const task: TaskRequest = { ...this.#request(), draft: false }
    const act = random.pick(['create', 'create', 'run', 'enable', 'disable'] as const)
    try {
      if (act === 'create') schedules.create({ ...words, overlap, name: schedule, task }, ada)
      else if (act === 'run') schedules.run(schedule, ada, `run ${random.below(2)}`).catch(() => undefined)
      else schedules.enable(schedule, act === 'enable', ada)
    } catch {
      // There is one already, or none yet, or the storage or the process is gone.
    }
    return `ada wants to ${act} a schedule`
  }

  /** Nobody wants anything any more, and nothing of what is planned. */
  quit({ plane: { schedules } }: ControlPlaneProcess): void {
    for (const { name } of schedules.list()) schedules.enable(name, false, ada)
  }

  #submit(process: ControlPlaneProcess): string {
    const random = this.#random
    const known = [...this.#requests.keys()]
    const again = known.length > 0 && random.chance(0.2)
    const key = again ? random.pick(known) : `key ${known.length + 1}`
    const request = this.#requests.get(key) ?? this.#request()
    this.#requests.set(key, request)
    void this.#submitted(process, request, random.chance(0.5) ? ada : ci, key)
    return `submits under ${key}`
  }

  /** Asks something, perhaps once more, perhaps about an answer. */
  #ask(process: ControlPlaneProcess): string {
    const random = this.#random
    const caller = random.chance(0.5) ? ada : ci
    const answered = this.#tasks.filter((id) => (this.#view(id)?.task.answer ?? null) !== null)
    const followUp = answered.length > 0 && random.chance(0.5) ? random.pick(answered) : null
    const key = `question ${random.below(3)}`
    const known = this.#questions.get(key)
    const request: QuestionRequest = known ?? {
      question: random.chance(0.15) ? 'What does pip install do?' : 'What is it?',
      repository: followUp === null ? '/repositories/example' : null,
      ref: null,
      agent: null,
      budget: { steps: 1 + random.below(2), minutes: random.pick([0.1, 5]) },
      draft: random.chance(0.1),
      policy: null,
      followUp,
    }
    this.#questions.set(key, request)
    void this.#answered(process, process.plane.ask(request, caller, key))
    return `${caller.actor.id} asks under ${key}`
  }

  async #submitted(
    process: ControlPlaneProcess,
    request: TaskRequest,
    caller: Caller,
    key: string,
  ): Promise<void> {
    await this.#answered(process, process.plane.submit(request, caller, key))
  }

  async #answered(process: ControlPlaneProcess, answer: Promise<Submitted>): Promise<void> {
    try {
      const { task } = await answer
      if (!this.#tasks.includes(task.id)) this.#tasks.push(task.id)
      this.#look(process, task.id)
    } catch {
      // They do it again some time.
    }
  }

  #request(): TaskRequest {
    const random = this.#random
    return {
      goal: random.chance(0.15) ? 'pip install deps' : 'Fix the bug',
      repository: '/repositories/example',
      ref: null,
      agent: null,
      setup: random.chance(0.3) ? 'make setup' : null,
      test: random.chance(0.7) ? 'make test' : null,
      budget: {
        steps: 1 + random.below(4),
        minutes: random.pick([0.1, 0.5, 5]),
        ...(random.chance(0.3) ? { tokens: 1 + random.below(100) } : {}),
      },
      draft: random.chance(0.25),
      policy: null,
    }
  }

  /** Looks at what can be decided, and keeps the buttons. */
  #look(process: ControlPlaneProcess, id: TaskId): void {
    try {
      for (const choice of process.plane.decisions(id, ada).offer?.choices ?? [])
        if (!this.#buttons.has(choice.id)) this.#buttons.set(choice.id, { task: id, used: false })
    } catch {
      // The storage or the process is gone.
    }
  }

  #press(process: ControlPlaneProcess, id: TaskId, caller: Caller): string {
    const random = this.#random
    if (random.chance(0.8)) this.#look(process, id)
    const known = [...this.#buttons.keys()]
    const own = known.filter((button) => this.#buttons.get(button)?.task === id)
    const pool = own.length > 0 && random.chance(0.8) ? own : known
    const forged = `tdec:${id}:approve:AAAAAAAA`
    const button = pool.length === 0 || random.chance(0.05) ? forged : random.pick(pool)
    const action = button.split(':')[2] as Act['act']
    const text = action === 'suggest' ? random.pick(['Use less memory.', 'sudo make it']) : null
    const good = this.#isGood(button, id, caller)
    const done = this.#begin(id, action, caller)
    const before = this.#view(id)
    void this.#pressed(
      this.#hear(process.plane.decide(id, button, text, caller), done, id, before),
      button,
      good,
    )
    return `${caller.actor.id} presses ${action} of ${id}${good ? '' : ', which is no good'}`
  }

  async #pressed(heard: Promise<boolean>, button: string, good: boolean): Promise<void> {
    if (!(await heard)) return
    if (!good) this.broken ??= `nonces: a button that was not good was taken (${button})`
    const pressed = this.#buttons.get(button)
    if (pressed?.used === true) this.broken ??= `nonces: a button was taken twice (${button})`
    if (pressed !== undefined) pressed.used = true
  }

  /** Whether a button decides something now, by what lies in the file. */
  #isGood(button: string, id: TaskId, { actor, role }: Caller): boolean {
    const view = this.#view(id)
    if (view === null) return false
    const action = button.split(':')[2] ?? ''
    const own = role === 'operator' && view.task.created_by === JSON.stringify(actor)
    const mayMerge = ['merge', 'pull-request', 'undo'].includes(action) && view.task.marks === '[]'
    if (role !== 'owner' && !(own && (action === 'suggest' || mayMerge))) return false
    return view.surfaces.some(({ id: surface, revision, closed_at: closed, expires_at: expires }) => {
      const open = closed === null && revision === view.task.revision && expires > this.#machine.clock.now()
      const choice = { surface, taskId: id, action, revision, terms: null }
      // What is configured stays the same.
      return open && decisionId(nonceKey, choice) === button.split('.', 1)[0]
    })
  }

  #act(process: ControlPlaneProcess, id: TaskId, caller: Caller): string {
    return this.#do(process, id, caller, this.#someAct(id))
  }

  #do(process: ControlPlaneProcess, id: TaskId, caller: Caller, act: Act): string {
    const random = this.#random
    const revision = this.#view(id)?.task.revision ?? 1
    const shown = random.chance(0.7) ? null : revision - random.below(2)
    const done = this.#begin(id, act.act, caller)
    const answer = process.plane.act(id, act, caller, shown)
    this.#hear(answer, done, id, this.#view(id)).catch(() => undefined)
    return `${caller.actor.id} wants to ${act.act} ${id}`
  }

  #someAct(id: TaskId): Act {
    const random = this.#random
    const spent = this.#view(id)?.task
    const more = { steps: (spent?.spent_steps ?? 0) + 1 + random.below(3), seconds: 600, tokens: 1000 }
    return random.pick<Act>([
      { act: 'approve' },
      { act: 'reject', text: null },
      { act: 'suggest', text: 'Use another name.' },
      { act: 'steer', text: 'Mind the gap.' },
      { act: 'stop', text: null },
      { act: 'pause' },
      { act: 'resume', instruction: null, budget: null },
      { act: 'resume', instruction: 'Go on.', budget: more },
      { act: 'resume', instruction: null, budget: more },
      { act: 'discard' },
      merging(null),
      proposed(null),
      { act: 'undo' },
    ])
  }

  #begin(task: TaskId, act: Act['act'], { actor }: Caller): Done {
    const done: Done = { task, act, actor: JSON.stringify(actor), heard: 'nothing' }
    this.#done.push(done)
    return done
  }

  /** Whether it was done, as far as they were told. */
  async #hear(answer: Promise<Task>, done: Done, id: TaskId, before: View | null): Promise<boolean> {
    try {
      await answer
      done.heard = 'yes'
      return true
    } catch (error) {
      if (error instanceof Failure && error.code !== 'disk') this.#refused(done, id, before)
      return false
    }
  }

  /** What was refused has written nothing, but for a fresh offer. */
  #refused(done: Done, id: TaskId, before: View | null): void {
    if (done.act === 'discard') return
    done.heard = 'no'
    const now = this.#view(id)
    if (now === null || before === null) return
    const mine = now.events.filter(({ seq, actor }) => seq > before.task.version && actor === done.actor)
    if (mine.some(({ type }) => type !== 'offered'))
      this.broken ??= `decisions: a refused ${done.act} was written`
  }
}
