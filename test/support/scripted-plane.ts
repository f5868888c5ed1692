import { mergeDecided } from '../../control-plane/gate/merge.ts'
import { pullDecided, pullEnded } from '../../control-plane/gate/pull.ts'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAccess } from '../../control-plane/access.ts'
import { Bus } from '../../control-plane/bus.ts'
import { decide, offeredActions, openSurface } from '../../control-plane/gate/surfaces.ts'
import { Misses } from '../../control-plane/gate/misses.ts'
import { decisionsOf, offerAgain, press, type PressDeps } from '../../control-plane/gate/press.ts'
import type { Decisions } from '../../src/domain/decision.ts'
import { answered, idUnder, submissionOf } from '../../control-plane/gate/submissions.ts'
import type {
  Act,
  AttestationKey,
  ControlPlane,
  EgressFilter,
  Explanation,
  Finding,
  KnownAgent,
  KnownRepository,
  Sight,
  TaskFilter,
} from '../../src/domain/control-plane.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import { outboxDesk } from '../../control-plane/outbox/desk.ts'
import { knownRepositories } from '../../control-plane/repositories.ts'
import { withdraw } from '../../control-plane/review/withdraw.ts'
import { ScheduleBook } from '../../control-plane/schedule/book.ts'
import { Indexer } from '../../control-plane/search/indexer.ts'
import { search } from '../../control-plane/search/search.ts'
import { type SearchIndex, searchIndex } from '../../control-plane/store/search/index.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Drafted } from '../../control-plane/submit.ts'
import { type Along, Tasks } from '../../control-plane/tasks.ts'
import { changes } from '../../control-plane/changes.ts'
import { watch } from '../../control-plane/watch.ts'
import { hostPath } from '../../src/config/places.ts'
import type { Access } from '../../src/domain/access.ts'
import type { AgentProgress } from '../../src/domain/agent.ts'
import type { SignedAttestation } from '../../src/domain/attestation.ts'
import { defaultBudget } from '../../src/domain/budget.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { type Day, type DayFilter, everyDay, spanOf } from '../../src/domain/day.ts'
import type { EgressRow } from '../../src/domain/egress.ts'
import type { DeliveryDefaults } from '../../src/domain/delivery/merge.ts'
import type { PullSettings } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { AcceptRule } from '../../src/domain/marks/mark.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Input } from '../../src/domain/input.ts'
import type { TaskRequest } from '../../src/domain/intake.ts'
import {
  openReviews,
  type Reviewed,
  type ReviewRequest,
  reviewText,
  together,
} from '../../src/domain/review/review.ts'
import { refuseFollowUp } from '../../src/domain/question/follow-up.ts'
import type { Mark } from '../../src/domain/marks/mark.ts'
import type { QuestionRequest } from '../../src/domain/question/request.ts'
import { submitRefusal } from '../../src/domain/rights.ts'
import type { Destination } from '../../src/domain/outbox/destination.ts'
import type { OutboxDesk } from '../../src/domain/outbox/desk.ts'
import { newsOf } from '../../src/domain/outbox/news.ts'
import { largerBudget } from '../../src/domain/risk/budget.ts'
import type { SearchAnswer, SearchRequest } from '../../src/domain/search/search.ts'
import type { Actor, Checkpoint, RiskReason, Status, Task, TaskEvent } from '../../src/domain/task.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { transition } from '../../src/domain/transition/apply.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Verification } from '../../src/domain/verification/verify.ts'
import { noRemotes } from './no-remotes.ts'
import { attesting } from './attesting.ts'
import { aBox } from './box.ts'
import { aCommit, aCommitOf, aTask } from './task.ts'

/** A public key, of which nobody has the private half. */
const scriptedKey: AttestationKey = {
  id: '3740b751fd5b99929bae35f63d68c3f0d726924cf17d5d1c104884a0ad07d5e1',
  pem: '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAsrUeh6ikVhwBsyGJx5imXLukyfMdkLPDkZgqu4BnKnY=\n-----END PUBLIC KEY-----\n',
}

/** What the script of a task can do: what the loop would report, and what its boxes would print. */
export interface Turn {
  readonly task: Task
  readonly report: (input: Input, along?: Along) => void
  readonly output: (box: string, text: string, progress?: readonly AgentProgress[]) => void
  /** Aborted when the task is halted or its process ends. */
  readonly signal: AbortSignal
}

/** Told of everything, and never reached. */
const scriptedDestination: Destination = {
  name: 'webhook:scripted',
  compose: newsOf,
  deliver: () => new Promise(() => undefined),
}

export type Script = (turn: Turn) => Promise<void> | void

/** How a control plane behaves besides its script. */
export interface Behaviour {
  /** A call, or a request by its method and path, is never answered, before or after what it is to do. `onHang` is told. */
  readonly hangs?: {
    readonly call: 'submit' | 'act' | 'logs' | 'doctor' | RegExp
    readonly when: 'before' | 'after'
  }
  readonly onHang?: () => void
  /** What is told of each submission. */
  readonly notes?: readonly string[]
  readonly findings?: readonly Finding[]
  /** What the next submissions are refused with, one after the other, as by a remote that does not answer yet. */
  readonly away?: string[]
  /** What verifying a task with these keys comes to; without it all holds. */
  readonly verification?: (keys: readonly string[]) => Partial<Verification>
}

/**
 * A control plane with the real store, transitions, events and watching, and a script in the place of boxes and git.
 * A goal that holds `sudo` is a DRAFT. Tasks are worked on when they are attended.
 */
export class ScriptedPlane implements ControlPlane, Disposable {
  readonly schedules: ScheduleBook
  readonly store: Store
  readonly transitions: Tasks
  readonly access: Access
  readonly outbox: OutboxDesk
  readonly #bus = new Bus()
  readonly #press: PressDeps
  readonly #script: Script
  readonly #behaviour: Behaviour
  readonly #attended = new Set<TaskId>()
  readonly #ending = new AbortController()
  readonly #index: SearchIndex
  readonly #indexer: Indexer
  #running: AbortController | null = null

  constructor(folder: string, script: Script, behaviour: Behaviour = {}) {
    this.#script = script
    this.#behaviour = behaviour
    this.store = openStore(hostPath(join(folder, 'cofferdam.db')))
    this.access = openAccess({ store: this.store, clock: Date.now, random: randomBytes })
    this.#index = searchIndex(hostPath(join(folder, 'search.db')))
    const log = { warn: () => undefined }
    this.#indexer = new Indexer({ store: this.store, index: this.#index, bus: this.#bus, log })
    this.transitions = new Tasks({
      store: this.store,
      bus: this.#bus,
      clock: Date.now,
      attestor: attesting(this.store),
      destinations: [scriptedDestination],
    })
    this.outbox = outboxDesk({
      outbox: this.store.outbox,
      destinations: new Set([scriptedDestination.name]),
      clock: Date.now,
      wake: () => undefined,
    })
    this.schedules = new ScheduleBook({
      store: this.store,
      tasks: this.transitions,
      clock: Date.now,
      changed: () => undefined,
      draft: (request, id, { actor }) => Promise.resolve(this.#drafted(id, request, actor)),
    })
    this.#press = {
      store: this.store,
      tasks: this.transitions,
      clock: Date.now,
      nonceKey: () => 'a key of tests',
      misses: new Misses(),
      defaults: {
        budget: defaultBudget,
        repository: (path) => (path.endsWith('/alone') ? {} : { delivery: deliveryOf(path) }),
      },
    }
    for (const task of this.store.inFlight()) {
      this.transitions.report(task.id, task.fence, { type: 'requeued', text: 'Restarted.', crashed: true })
    }
  }

  submit(request: TaskRequest, { actor }: Caller, key: string | null): Promise<Submitted> {
    const id = key === null ? this.transitions.freshId() : idUnder(key, actor)
    return this.#answer('submit', () => answered(this.store, id, request) ?? this.#birth(id, request, actor))
  }

  ask(request: QuestionRequest, { actor }: Caller, key: string | null): Promise<Submitted> {
    const id = key === null ? this.transitions.freshId() : idUnder(key, actor)
    const parent = request.followUp === null ? null : this.transitions.get(request.followUp)
    const repository = request.repository ?? parent?.repository.path ?? ''
    const wanted = { ...request, repository, goal: request.question, test: null }
    return this.#answer('submit', () => {
      if (parent !== null) refuseFollowUp(parent)
      return answered(this.store, id, request) ?? this.#birth(id, wanted, actor, { parent, request })
    })
  }

  made(key: string, { actor }: Caller): Task | null {
    return this.store.task(idUnder(key, actor))
  }

  async #answer<T>(call: 'submit' | 'act' | 'logs' | 'doctor', work: () => T): Promise<T> {
    const { hangs, onHang, away = [] } = this.#behaviour
    const why = call === 'submit' ? away.shift() : undefined
    if (why !== undefined) throw new Failure('remote', why)
    if (hangs?.call !== call) return work()
    if (onHang !== undefined) setImmediate(onHang)
    if (hangs.when === 'after') work()
    return await new Promise(() => undefined)
  }

  #drafted(
    id: TaskId,
    request: TaskRequest,
    actor: Actor,
    asked: { parent: Task | null } | null = null,
  ): Drafted {
    const risky = /\bsudo\b/.test(request.goal) || request.draft
    const notes = this.#behaviour.notes ?? ['Uncommitted changes are not part of the task.']
    const task = aTask({
      id,
      goal: request.goal,
      request: request.goal,
      status: risky ? 'DRAFT' : 'PENDING',
      risks: risky ? [{ rule: 'words', text: 'The goal says "sudo".' }] : [],
      repository: { path: request.repository, key: 'example' },
      base: { ref: request.ref ?? 'main', commit: aCommit },
      ...(request.agent === null ? {} : { agent: request.agent }),
      ...(request.test === undefined ? {} : { test: request.test }),
      ...(asked === null ? {} : { kind: 'question', parentTaskId: asked.parent?.id ?? null }),
      createdBy: actor,
      createdAt: Date.now(),
      updatedAt: Date.now(),
    })
    return { task, notes, hidden: [] }
  }

  #birth(
    id: TaskId,
    request: TaskRequest,
    actor: Actor,
    asked: { parent: Task | null; request: QuestionRequest } | null = null,
  ): Submitted {
    const { task: drafted, notes } = this.#drafted(id, request, actor, asked)
    const risky = drafted.status === 'DRAFT'
    const open = risky ? { surface: { open: openSurface(drafted, Date.now()) } } : {}
    const data = { ...submissionOf(asked?.request ?? request, notes) }
    const task = this.transitions.birth(drafted, 'Submitted.', { data, ...open })
    return { task, notes }
  }

  task(id: TaskId): Task {
    return this.transitions.get(id)
  }

  tasks(filter: TaskFilter): readonly Task[] {
    return this.store.tasks(filter)
  }

  counts(): Readonly<Record<Status, number>> {
    return this.store.counts()
  }

  needing(): Readonly<Record<Status, number>> {
    return this.store.needing()
  }

  days(filter: DayFilter): readonly Day[] {
    const span = spanOf(filter, Date.now())
    return everyDay(span, this.store.days(span))
  }

  repositories(): readonly KnownRepository[] {
    return knownRepositories({}, this.store.repositories(), noRemotes)
  }

  /** Whether the configuration names an agent. */
  isConfigured = true

  agents(): readonly KnownAgent[] {
    return [{ name: 'command', usual: this.isConfigured, answers: true }]
  }

  search(request: SearchRequest): Promise<SearchAnswer> {
    return search({ store: this.store, index: this.#index, indexer: this.#indexer }, request)
  }

  act(id: TaskId, act: Act, { actor }: Caller, shown: number | null): Promise<Task> {
    return this.#answer('act', () => this.#act(id, act, actor, shown))
  }

  #act(id: TaskId, act: Act, actor: Actor, shown: number | null): Task {
    const before = this.task(id)
    const at = Date.now()
    const decided = { action: act.act, text: null, actor, at }
    const along = () => ({
      data: { risks: risksOf(act, before) },
      ...(before.status === 'APPLIED'
        ? { surface: decide(this.store.openSurface(id), before, decided) }
        : {}),
    })
    const task = this.transitions.act(id, inputOf(act, before), actor, along, shown)
    if (act.act === 'stop' || act.act === 'pause') this.#running?.abort()
    if (task.phase === 'salvage') {
      const salvaged: Input = { type: 'salvaged', head: task.head, text: 'Nothing was under way.' }
      setImmediate(() => {
        if (!this.#ending.signal.aborted) this.transitions.report(id, task.fence, salvaged)
      })
    }
    if (task.status === 'PENDING') setImmediate(() => this.#work(id))
    return task
  }

  withdraw(id: TaskId, review: number, caller: Caller): Task {
    return withdraw({ store: this.store, tasks: this.transitions }, id, review, caller)
  }

  /** Its follow-up is made of nothing but what is said. */
  review(id: TaskId, request: ReviewRequest, { actor }: Caller, shown: number | null): Promise<Reviewed> {
    const task = this.task(id)
    const before = openReviews(this.store.events(id, 0, 1000)).map((each) => each.said)
    const said = request.requestChanges ? [...before, request] : [request]
    const text = reviewText(said, null)
    const data = { ...together(said) }
    if (!request.requestChanges) {
      const along = () => ({ data })
      const noted = this.transitions.act(id, { type: 'reviewed', text }, actor, along, shown)
      return Promise.resolve({ task: noted, followUp: null, notes: [] })
    }
    const next = this.transitions.freshId()
    const superseded = this.transitions.act(
      id,
      { type: 'superseded', by: next },
      actor,
      () => ({ data: { by: next, ...data } }),
      shown,
    )
    const born = aTask({
      id: next,
      goal: text,
      repository: task.repository,
      parentTaskId: id,
      createdBy: actor,
      createdAt: Date.now(),
    })
    return Promise.resolve({
      task: superseded,
      followUp: this.transitions.birth(born, 'Submitted.'),
      notes: [],
    })
  }

  decisions(id: TaskId, caller: Caller): Decisions {
    return decisionsOf(this.#press, id, caller)
  }

  offer(id: TaskId, caller: Caller): void {
    offerAgain(this.#press, id, caller)
  }

  decide(id: TaskId, button: string, text: string | null, caller: Caller): Promise<Task> {
    return new Promise((resolve) => {
      const task = press(this.#press, id, button, text, caller)
      if (task.status === 'PENDING') setImmediate(() => this.#work(id))
      resolve(task)
    })
  }

  events(id: TaskId, after: number): readonly TaskEvent[] {
    return this.store.events(this.task(id).id, after, 1000)
  }

  checkpoints(id: TaskId): readonly Checkpoint[] {
    return this.store.checkpoints(this.task(id).id)
  }

  egress(id: TaskId, { box, limit = 1000 }: EgressFilter): readonly EgressRow[] {
    return this.store.egressLog(this.task(id).id, box ?? null, limit)
  }

  attestations(id: TaskId): readonly SignedAttestation[] {
    return this.store.attestations(this.task(id).id)
  }

  verify(id: TaskId, keys: readonly string[]): Promise<Verification> {
    const nothing = { task: this.task(id).id, attestations: 2, holds: true, findings: [], notes: [] }
    return Promise.resolve({ ...nothing, ...this.#behaviour.verification?.(keys) })
  }

  attestationKey(): AttestationKey {
    return scriptedKey
  }

  diff(id: TaskId, step: number | null): Promise<string> {
    const task = this.task(id)
    return Promise.resolve(
      task.head === task.base.commit ? '' : `diff --git of step ${step ?? 'all'}\n+\u001b[31mred\n`,
    )
  }

  logs(id: TaskId, step: number | null): Promise<string> {
    return this.#answer(
      'logs',
      () => `== agent box, step ${step ?? 1}, ${this.task(id).id} ==\n\u001b[32mgreen\u001b[0m\n`,
    )
  }

  async explain(_request: TaskRequest, caller: Caller): Promise<Explanation> {
    const refused = submitRefusal(caller)
    if (refused !== null) throw new Failure('not_allowed', refused)
    return Promise.resolve({
      policy: defaultPolicy,
      boxes: [aBox()],
      hidden: ['.env'],
      risks: [],
      notes: ['No test command is given.'],
    })
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  doctor(): Promise<readonly Finding[]> {
    return this.#answer(
      'doctor',
      () => this.#behaviour.findings ?? [{ name: 'engine', state: 'ok', text: 'scripted' }],
    )
  }

  watch(id: TaskId, after: number, signal: AbortSignal): AsyncIterable<Sight> {
    return watch(this.store, this.#bus, id, after, signal)
  }

  changes(signal: AbortSignal): AsyncIterable<Task> {
    return changes(this.#bus, signal)
  }

  attend(id: TaskId): void {
    this.#attended.add(this.task(id).id)
    this.#work(id)
  }

  [Symbol.dispose](): void {
    this.#ending.abort()
    this.#indexer[Symbol.dispose]()
    this.#index[Symbol.dispose]()
    this.store[Symbol.dispose]()
  }

  /** A goal that says `clash` does so with the branch; of one that says `foreign`, others' commits would go along. */
  #deliver({ id, fence, goal, phase, merge, pull }: Task): void {
    const report = (input: Input): void => this.#report(id, fence, input)
    const into = merge?.into ?? ''
    const isForeign = (accepted: readonly AcceptRule[] = []): boolean =>
      goal.includes('foreign') && !accepted.includes('foreign')
    if (phase === 'push' && isForeign(pull?.accepted))
      report({ type: 'pull_refused', why: 'foreign', text: 'Not proposed for main: 2 commits more.' })
    else if (phase === 'push') {
      report({ type: 'pull_pushed', text: 'It is pushed.', pushed: aCommit })
      const text = 'Proposed for main: #7 of ada/tools, a draft (https://forge.test/7).'
      report({ type: 'pull_opened', text, number: 7, url: 'https://forge.test/7' })
    } else if (phase === 'undo') report({ type: 'undone', text: `Undone: ${into} is as it was.` })
    else if (isForeign(merge?.accepted))
      report({ type: 'merge_refused', why: 'foreign', text: `Not merged: 2 commits more than ${into} has.` })
    else if (goal.includes('clash'))
      report({ type: 'merge_refused', why: 'conflict', text: `Not merged: ${into} has changed a.txt too.` })
    else {
      const made = { from: aCommit, commit: aCommitOf('d') }
      report({ type: 'merge_advanced', phase: 'merge_move', text: 'It is tested.', made })
      report({ type: 'merged', text: `Merged into ${into}.` })
    }
  }

  /** As the loop does: what is applied is offered for a decision on what becomes of it. */
  #report(id: TaskId, fence: number, input: Input, along: Along = {}): void {
    const after = transition(this.task(id), input, Date.now())
    const offers =
      after.kind === 'changed' && after.task.status === 'APPLIED' && offeredActions(after.task).length > 0
    const surface = offers ? { closeAll: true, open: openSurface(after.task, Date.now()) } : undefined
    this.transitions.report(id, fence, input, { ...along, ...(surface === undefined ? {} : { surface }) })
  }

  #work(id: TaskId): void {
    if (!this.#attended.has(id) || this.#ending.signal.aborted) return
    const { status, fence, delivery } = this.task(id)
    if (delivery === 'delivering') this.#deliver(this.task(id))
    if (status !== 'PENDING') return
    const claimed = this.transitions.report(id, fence, { type: 'claimed', leaseUntil: Date.now() + 30_000 })
    if (claimed.kind === 'refused') return
    this.#running = new AbortController()
    const signal = AbortSignal.any([this.#running.signal, this.#ending.signal])
    const { task } = claimed
    const turn: Turn = {
      task,
      signal,
      report: (input, along) => {
        if (!signal.aborted) this.#report(id, task.fence, input, along)
      },
      output: (box, text, progress) =>
        this.#bus.output(id, { step: 1, box, text, ...(progress === undefined ? {} : { progress }) }),
    }
    void Promise.resolve(this.#script(turn)).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}

/** Where its pull requests are opened. */
const scriptedPulls: PullSettings = {
  forge: 'github',
  address: 'https://forge.test',
  project: 'ada/tools',
  remote: 'https://forge.test/ada/tools',
  user: 'x',
  token: new Secret('forge', 'a token of the script'),
  tokenFrom: 'the environment variable FORGE',
  network: 'public',
  draft: true,
}

/** What is configured for a repository of this path. */
const deliveryOf = (path: string): DeliveryDefaults =>
  path.endsWith('/proposing')
    ? { pull: scriptedPulls, way: 'pull-request', into: 'release', how: 'squash' }
    : { pull: scriptedPulls }

function risksOf(act: Act, { budget }: Task): readonly RiskReason[] {
  return act.act === 'resume' && act.budget !== null
    ? largerBudget({ ...budget, ...act.budget }, budget, defaultBudget)
    : []
}

function inputOf(act: Act, task: Task): Input {
  switch (act.act) {
    case 'approve':
      return { type: 'approved' }
    case 'reject':
      return { type: 'rejected', text: act.text }
    case 'stop':
      return { type: 'stopped', text: act.text }
    case 'pause':
      return { type: 'paused' }
    case 'discard':
      return { type: 'discarded' }
    case 'merge':
      return mergeDecided(task, act, {}, task.updatedAt)
    case 'pull-request':
      return pullDecided(task, act, { delivery: { pull: scriptedPulls } }, task.updatedAt)
    case 'undo':
      return { type: 'undo_decided' }
    case 'pull-ended':
      return pullEnded(task, act.as)
    case 'steer':
      return { type: 'steered', text: act.text }
    case 'suggest':
      return { type: 'suggested', text: act.text, risks: task.risks }
    case 'resume': {
      const budget = act.budget === null ? null : { ...task.budget, ...act.budget }
      return { type: 'resumed', instruction: act.instruction, budget }
    }
  }
}

/** The start of a step: what comes before anything can go on or wrong. */
export function beginStep({ report, task }: Turn): void {
  report({ type: 'advanced', phase: 'agent', text: 'The worktree is ready.' })
  const text = 'Step 1/8: the agent starts.'
  report(
    { type: 'begun', step: 1, attempt: 1, text, consumed: task.instruction },
    { data: { kind: 'agent' } },
  )
}

/** One step that is applied, as the loop would tell it, with these marks. */
export const appliesWith =
  (marks: readonly Mark[]): Script =>
  async (turn) => {
    const { report, output } = turn
    beginStep(turn)
    // As long as a box takes to start; output and events are only in order one by one.
    await sleep(20)
    output('agent', 'editing \u001b[31ma.txt\u001b[0m\nhalf a ')
    output('agent', 'line')
    await sleep(20)
    report({ type: 'agent_finished', text: 'The agent ended with DONE.' })
    report({ type: 'advanced', phase: 'candidate', text: 'The tree is inside the policy.' })
    report({ type: 'candidate_made', text: '1 file changed (+1 −1).' })
    report({ type: 'tested', text: 'The test passes.', priorFailure: null }, { data: { passed: true } })
    const verdict = { kind: 'apply', outcome: 'tested' } as const
    const progress = { signature: 'x', repeats: 1 }
    report({ type: 'checkpointed', verdict, head: aCommitOf('b'), progress, marks })
    report({ type: 'handed_over' })
  }
export const applies: Script = appliesWith([])

/** A step whose agent works until it is ended. */
export const worksForever: Script = (turn) => {
  beginStep(turn)
  turn.output('agent', 'working\n')
}

/** A step after which the agent is blocked. */
export const blocks: Script = (turn) => {
  beginStep(turn)
  turn.report({ type: 'halted', reason: 'agent', text: 'Which word?' })
  turn.report({ type: 'salvaged', head: turn.task.head, text: 'Kept what step 1 had done.' })
}

/** A question that is answered in these words, as the loop would tell it. */
export const answersWith =
  (answer: string): Script =>
  async (turn) => {
    beginStep(turn)
    await sleep(20)
    turn.output('agent', 'reading\n')
    turn.report({ type: 'agent_finished', text: 'The agent ended without a marker.' })
    turn.report({ type: 'answered', verdict: { kind: 'answer', answer } })
  }
