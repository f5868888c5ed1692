import type { Access } from '../src/domain/access.ts'
import type { CompileBox, Engine } from '../src/domain/box.ts'
import type { DiscordState } from '../src/domain/discord.ts'
import type { Caller } from '../src/domain/caller.ts'
import type {
  Act,
  AttestationKey,
  ControlPlane,
  DoctorScope,
  EgressFilter,
  Explanation,
  KnownAgent,
  KnownRepository,
  Sight,
  TaskFilter,
} from '../src/domain/control-plane.ts'
import type { Submitted } from '../src/domain/submitted.ts'
import { type Day, type DayFilter, everyDay, spanOf } from '../src/domain/day.ts'
import type { Decisions } from '../src/domain/decision.ts'
import type { PullPlaces } from '../src/domain/delivery/forge.ts'
import { branchProblem } from '../src/domain/delivery/merge.ts'
import { Failure } from '../src/domain/failure.ts'
import type { TaskId } from '../src/domain/ids.ts'
import { looks } from '../src/domain/looks.ts'
import type { TaskRequest } from '../src/domain/intake.ts'
import { refuseFollowUp } from '../src/domain/question/follow-up.ts'
import type { QuestionRequest } from '../src/domain/question/request.ts'
import type { Agent, AgentChoice } from '../src/domain/agent.ts'
import type { Registries } from '../src/domain/registries.ts'
import type { Remotes } from '../src/domain/remote.ts'
import type { RepositoryDefaults } from '../src/domain/repository-defaults.ts'
import type { NotTheSame } from '../src/domain/same-place.ts'
import type { Reviewed, ReviewRequest } from '../src/domain/review/review.ts'
import { submitRefusal } from '../src/domain/rights.ts'
import type { Schedules } from '../src/domain/schedule/port.ts'
import type { ConfiguredSchedule } from '../src/domain/schedule/request.ts'
import type { SearchAnswer, SearchRequest } from '../src/domain/search/search.ts'
import type { OutboxDesk } from '../src/domain/outbox/desk.ts'
import type { Status, Task } from '../src/domain/task.ts'
import type { Worktrees } from '../src/domain/worktree.ts'
import { describeKey, type KeyPlaces, nonceKeyOf, type SigningKey } from './attest/key.ts'
import { publicHalf, verifyAttestations } from './attest/verify.ts'
import type { Bus } from './bus.ts'
import { doctor, looksOf, namesOf } from './doctor.ts'
import { explain } from './explain.ts'
import { perform } from './gate/act.ts'
import { Misses } from './gate/misses.ts'
import { decisionsOf, offerAgain, press, type PressDeps } from './gate/press.ts'
import { answered, idNow, submissionOf } from './gate/submissions.ts'
import { openSurface } from './gate/surfaces.ts'
import type { Loop } from './loop/loop.ts'
import type { OutputFiles } from './loop/output-files.ts'
import { placeOf } from './loop/work.ts'
import { forgeReach } from './pulls/reach.ts'
import { review } from './review/review.ts'
import { withdraw } from './review/withdraw.ts'
import { readiness } from './ready.ts'
import { scheduledAgents } from './schedule/agents.ts'
import { knownRepositories } from './repositories.ts'
import type { PagesFound } from './store/page-check.ts'
import type { Head } from './store/heads.ts'
import type { Store } from './store/store.ts'
import { answererOf, type Defaults, draftQuestion, draftTask, type Drafted } from './submit.ts'
import type { Tasks } from './tasks.ts'
import type { Together } from './together.ts'
import { changes } from './changes.ts'
import { watch } from './watch.ts'

export interface PlaneDeps {
  readonly access: Access
  readonly store: Store
  readonly tasks: Tasks
  readonly bus: Bus
  readonly together: Together
  readonly loop: Loop
  readonly engine: Engine
  readonly worktrees: Worktrees
  /** Says which git is here, or rejects where that will not do. */
  readonly git: () => Promise<string>
  /** Of this program, for {@link doctor}. */
  readonly version: string
  readonly agents: ReadonlyMap<string, Agent>
  readonly compile: CompileBox
  readonly outputs: Pick<OutputFiles, 'read'>
  readonly registries: () => Promise<Registries>
  /** Null where there is none yet. */
  readonly key: () => SigningKey | null
  readonly keyPlaces: KeyPlaces
  /** Which of these tasks have work that is in no mirror; takes as long as git looks for their commits. */
  readonly lost: (heads: readonly Head[]) => Promise<readonly TaskId[]>
  readonly schedules: Schedules
  /** Those that the configuration has. */
  readonly scheduled: readonly ConfiguredSchedule[]
  readonly search: (request: SearchRequest) => Promise<SearchAnswer>
  readonly outbox: OutboxDesk
  readonly defaults: Defaults
  /** Those that are configured, by their paths, or by their names where they have a URL. */
  readonly repositories: Readonly<Record<string, RepositoryDefaults>>
  readonly remotes: Remotes
  /** Where their pull requests are opened. */
  readonly pulls: PullPlaces
  readonly installation: string
  readonly user: { readonly uid: number; readonly gid: number }
  readonly data: string
  readonly clock: () => number
  /** How the front end on Discord stands; null where there is none. */
  readonly discord: () => DiscordState | null
  /** What is known of the pages of the database; null where nobody looks. */
  readonly pages: () => PagesFound | null
  /** Folders that are not the same for the engine. */
  readonly apart: () => Promise<readonly NotTheSame[]>
}

/** The product without a front end. */
export class Plane implements ControlPlane {
  readonly access: Access
  readonly ready: () => Promise<void>
  readonly outbox: OutboxDesk
  readonly schedules: Schedules
  readonly #deps: PlaneDeps
  readonly #press: PressDeps
  readonly #look = looks(
    (of: DoctorScope) => this.#doctor(of),
    () => performance.now(),
  )

  constructor(deps: PlaneDeps) {
    this.access = deps.access
    const connections = (): readonly DiscordState[] => [deps.discord() ?? []].flat()
    this.ready = readiness({ ...deps, connections, diskFreeMb: deps.defaults.policy.limits.diskFreeMb })
    this.#deps = deps
    this.outbox = deps.outbox
    this.schedules = deps.schedules
    this.#press = { ...deps, nonceKey: () => nonceKeyOf(deps.key()), misses: new Misses() }
  }

  submit(request: TaskRequest, caller: Caller, key: string | null): Promise<Submitted> {
    return this.#submit(request, caller, key, (id) => draftTask(this.#deps, request, id, caller))
  }

  ask(request: QuestionRequest, caller: Caller, key: string | null): Promise<Submitted> {
    return this.#submit(request, caller, key, (id) => {
      const parent = request.followUp === null ? null : this.#deps.tasks.get(request.followUp)
      if (parent !== null) refuseFollowUp(parent)
      return draftQuestion(this.#deps, request, parent, id, caller)
    })
  }

  async #submit(
    request: TaskRequest | QuestionRequest,
    caller: Caller,
    key: string | null,
    draft: (id: TaskId) => Promise<Drafted>,
  ): Promise<Submitted> {
    const { clock, store, tasks } = this.#deps
    const refused = submitRefusal(caller)
    if (refused !== null) throw new Failure('not_allowed', refused)
    const id = key === null ? tasks.freshId() : idNow(store, key, caller.actor, clock())
    const before = answered(store, id, request)
    if (before !== null) return before
    const drafted = await draft(id)
    // The same submission may have come in a second time meanwhile.
    return this.#deps.together.join(() => answered(store, id, request) ?? this.#birth(request, drafted))
  }

  #birth(request: TaskRequest | QuestionRequest, { task, notes, hidden }: Drafted): Submitted {
    const draft = task.status === 'DRAFT'
    const said = task.kind === 'question' ? 'Asked' : 'Submitted'
    const text = draft ? `${said}; waits for approval.` : `${said}.`
    const surface = draft ? { open: openSurface(task, this.#deps.clock()) } : undefined
    const data = { ...submissionOf(request, notes), hidden }
    return { task: this.#deps.tasks.birth(task, text, { ...(surface && { surface }), data }), notes }
  }

  made(key: string, { actor }: Caller): Task | null {
    const { clock, store } = this.#deps
    return store.task(idNow(store, key, actor, clock()))
  }

  task(id: TaskId): Task {
    return this.#deps.tasks.get(id)
  }

  tasks(filter: TaskFilter): readonly Task[] {
    return this.#deps.store.tasks(filter)
  }

  counts(): Readonly<Record<Status, number>> {
    return this.#deps.store.counts()
  }

  needing(): Readonly<Record<Status, number>> {
    return this.#deps.store.needing()
  }

  days(filter: DayFilter): readonly Day[] {
    const span = spanOf(filter, this.#deps.clock())
    return everyDay(span, this.#deps.store.days(span))
  }

  repositories(): readonly KnownRepository[] {
    const { repositories, store, remotes } = this.#deps
    return knownRepositories(repositories, store.repositories(), remotes)
  }

  agents(): readonly KnownAgent[] {
    const usual = this.#deps.defaults.agent?.name
    const answers = this.#answerer()?.name
    return [...this.#deps.agents.keys()].map((name) => ({
      name,
      usual: name === usual,
      answers: name === answers,
    }))
  }

  /** Where neither the question nor its repository names one. */
  #answerer(): AgentChoice | null {
    return answererOf(this.#deps, this.#deps.defaults.agent)
  }

  search(request: SearchRequest): Promise<SearchAnswer> {
    return this.#deps.search(request)
  }

  async act(id: TaskId, act: Act, caller: Caller, shown: number | null): Promise<Task> {
    return await this.#cleared(perform(this.#deps, id, act, { caller, shown }))
  }

  /** What was just discarded leaves nothing on the disk. */
  async #cleared(task: Task): Promise<Task> {
    if (task.delivery === 'discarded') {
      await this.#deps.loop.settled(task.id)
      await this.#deps.worktrees.discard(placeOf(task))
    }
    return task
  }

  review(id: TaskId, request: ReviewRequest, caller: Caller, shown: number | null): Promise<Reviewed> {
    return review(this.#deps, id, request, caller, shown)
  }

  withdraw(id: TaskId, review: number, caller: Caller): Task {
    return withdraw(this.#deps, id, review, caller)
  }

  decisions(id: TaskId, caller: Caller): Decisions {
    return decisionsOf(this.#press, id, caller)
  }

  async decide(id: TaskId, button: string, text: string | null, caller: Caller): Promise<Task> {
    return await this.#cleared(press(this.#press, id, button, text, caller))
  }

  offer(id: TaskId, caller: Caller): void {
    offerAgain(this.#press, id, caller)
  }

  events(id: TaskId, after: number) {
    this.#deps.tasks.get(id)
    return this.#deps.store.events(id, after, 1000)
  }

  checkpoints(id: TaskId) {
    this.#deps.tasks.get(id)
    return this.#deps.store.checkpoints(id)
  }

  egress(id: TaskId, { box, limit = 1000 }: EgressFilter) {
    this.#deps.tasks.get(id)
    return this.#deps.store.egressLog(id, box ?? null, limit)
  }

  attestations(id: TaskId) {
    this.#deps.tasks.get(id)
    return this.#deps.store.attestations(id)
  }

  verify(id: TaskId, keys: readonly string[]) {
    return verifyAttestations(this.#deps, id, keys, placeOf)
  }

  attestationKey(): AttestationKey {
    const { id, pem } = publicHalf(this.#deps.key())
    return { id, pem }
  }

  async diff(id: TaskId, step: number | null, against: string | null = null): Promise<string> {
    const task = this.#deps.tasks.get(id)
    if (task.delivery === 'discarded')
      throw new Failure('conflict', `Task ${id} is discarded: its work is gone.`)
    if (task.kind === 'question')
      throw new Failure(
        'conflict',
        `Task ${id} is a question, which changes nothing: \`cofferdam task show ${id}\` has its answer.`,
      )
    if (against !== null) {
      if (step === null) return await this.#diffInto(task, against)
      throw new Failure('bad_request', 'Name a step or a branch, and not both.')
    }
    const kept = this.#deps.store.checkpoints(id).filter((row) => row.commit !== null && row.step > 0)
    if (step === null) {
      return task.head === task.base.commit
        ? ''
        : this.#deps.worktrees.diff(placeOf(task), task.base.commit, task.head)
    }
    const index = kept.findLastIndex((row) => row.step === step)
    const to = kept[index]?.commit
    if (to == null) throw new Failure('not_found', `Task ${id} has no checkpoint of step ${step}.`)
    const from = kept.slice(0, index).findLast((row) => row.step < step)?.commit ?? task.base.commit
    return this.#deps.worktrees.diff(placeOf(task), from, to)
  }

  async #diffInto(task: Task, branch: string): Promise<string> {
    const problem = branchProblem(branch)
    if (problem !== null) throw new Failure('bad_request', problem)
    return await this.#deps.worktrees.diffInto(placeOf(task), task.head, branch)
  }

  logs(id: TaskId, step: number | null): Promise<string> {
    this.#deps.tasks.get(id)
    return this.#deps.outputs.read(id, step)
  }

  explain(request: TaskRequest, caller: Caller): Promise<Explanation> {
    return explain(this.#deps, request, caller)
  }

  doctor(of: DoctorScope, { role }: Caller) {
    return this.#look(of, role === 'owner')
  }

  #doctor(of: DoctorScope) {
    return doctor({
      ...this.#deps,
      agents: namesOf(this.#deps.defaults.agent, this.#answerer()),
      repositories: of === 'all' ? looksOf({ ...this.#deps, git: () => this.#deps }) : {},
      forges: of === 'all' ? forgeReach(this.#deps.repositories, this.#deps.pulls) : {},
      schedules:
        of === 'all'
          ? scheduledAgents({ ...this.#deps, usual: this.#deps.defaults.agent, git: () => this.#deps })
          : {},
      ...(of === 'all' ? { lost: this.#deps.lost } : {}),
      diskFreeMb: this.#deps.defaults.policy.limits.diskFreeMb,
      attestationKey: () => describeKey(this.#deps.keyPlaces, () => this.#deps.store.attestationKeys()),
    })
  }

  watch(id: TaskId, after: number, signal: AbortSignal): AsyncIterable<Sight> {
    this.#deps.tasks.get(id)
    return watch(this.#deps.store, this.#deps.bus, id, after, signal)
  }

  changes(signal: AbortSignal): AsyncIterable<Task> {
    return changes(this.#deps.bus, signal)
  }

  attend(id: TaskId): void {
    this.#deps.tasks.get(id)
    this.#deps.loop.attend(id)
  }
}
