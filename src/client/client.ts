import type { z } from 'zod'
import * as answers from '../domain/answers.ts'
import type { AuditFilter, AuditRow } from '../domain/audit.ts'
import type { SignedAttestation } from '../domain/attestation.ts'
import type {
  Act,
  AttestationKey,
  DoctorScope,
  EgressFilter,
  Explanation,
  Finding,
  Sight,
  TaskFilter,
} from '../domain/control-plane.ts'
import type { Submitted } from '../domain/submitted.ts'
import type { EgressRow } from '../domain/egress.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import type { TaskRequest } from '../domain/intake.ts'
import type { QuestionRequest } from '../domain/question/request.ts'
import type { Letter, LetterAct, LetterFilter } from '../domain/outbox/letter.ts'
import type { Reviewed, ReviewRequest } from '../domain/review/review.ts'
import * as scheduleAnswers from '../domain/schedule/answers.ts'
import type { Ran, ScheduleDetail, ShownSchedule } from '../domain/schedule/port.ts'
import type { ScheduleChange, ScheduleRequest } from '../domain/schedule/request.ts'
import type { Occurrence } from '../domain/schedule/schedule.ts'
import { taskSchema } from '../domain/schemas.ts'
import { queryLimits } from '../domain/search/query.ts'
import type { SearchAnswer, SearchRequest } from '../domain/search/search.ts'
import type { Checkpoint, Task, TaskEvent } from '../domain/task.ts'
import type { NewToken, Token, TokenRequest } from '../domain/token.ts'
import type { Verification } from '../domain/verification/verify.ts'
import { type Answer, type Call, type FetchLike, jsonOf, Unreachable } from './fetch.ts'
import { sights } from './stream.ts'

/**
 * The control plane as its clients see it. Methods reject with the `Failure` that the control plane answered, or with
 * `Unreachable`.
 */
export interface Client {
  /** Resolves where somebody answers, before `signal` aborts. */
  ping(signal?: AbortSignal): Promise<void>
  /** `key`: the same submission may be sent again under it, and makes one task. */
  submit(request: TaskRequest, key?: string): Promise<Submitted>
  /** The same for a question. */
  ask(request: QuestionRequest, key?: string): Promise<Submitted>
  task(id: TaskId): Promise<Task>
  /** Newest first; the first page of them. */
  tasks(filter: Filter<TaskFilter, 'after'>): Promise<readonly Task[]>
  taskPage(filter: Filter<TaskFilter, 'after'>): Promise<Page<'tasks', Task>>
  /** Finds tasks by what is remembered of them; of a long text the beginning counts. */
  search(request: SearchRequest): Promise<SearchAnswer>
  /** `shown`: the revision of the task that was decided on; where it has another by now, nothing is done. */
  act(id: TaskId, act: Act, shown?: number): Promise<Task>
  /** `shown`: the revision that was looked at. */
  review(id: TaskId, request: ReviewRequest, shown?: number): Promise<Reviewed>
  withdraw(id: TaskId, review: number): Promise<Task>
  events(id: TaskId, after: number): Promise<readonly TaskEvent[]>
  checkpoints(id: TaskId): Promise<readonly Checkpoint[]>
  /** What boxes asked of the gateway, oldest first. */
  egress(id: TaskId, filter: EgressFilter): Promise<readonly EgressRow[]>
  attestations(id: TaskId): Promise<readonly SignedAttestation[]>
  /** `keys`: public keys (DER, SPKI) to trust in place of the installation's. */
  verify(id: TaskId, keys: readonly Buffer[]): Promise<Verification>
  attestationKey(): Promise<AttestationKey>
  /** `against`: what a merge into that branch would change in it now. */
  diff(id: TaskId, step: number | null, against?: string): Promise<string>
  logs(id: TaskId, step: number | null): Promise<string>
  explain(request: TaskRequest): Promise<Explanation>
  /** Rejects with a `Failure` where tasks can be neither taken nor worked on. */
  ready(): Promise<void>
  doctor(of?: DoctorScope): Promise<readonly Finding[]>
  /** What destinations are told, newest first. */
  letters(filter: Filter<LetterFilter, 'before'>): Promise<Page<'letters', Letter>>
  letter(id: string): Promise<Letter>
  actOnLetter(id: string, act: LetterAct): Promise<Letter>
  /**
   * The events after `after`, then live with output, until `signal` aborts. Resolves when the stream is open, so that
   * nothing is missed of what happens from then on. The iteration throws `Unreachable` when it breaks off.
   */
  watch(id: TaskId, after: number, signal: AbortSignal): Promise<AsyncIterable<Sight>>
  attend(id: TaskId): Promise<void>
  createToken(request: TokenRequest): Promise<NewToken>
  tokens(): Promise<readonly Token[]>
  /** By name or id. */
  revokeToken(which: string): Promise<Token>
  /** Newest first. */
  audit(filter: Filter<AuditFilter, 'before'>): Promise<Page<'rows', AuditRow>>
  readonly schedules: ScheduleClient
}

/** A filter of the domain; in the place of where a page begins, `cursor` is `next` of the answer before. */
export type Filter<All, Begin extends keyof All> = Omit<All, Begin> & { readonly cursor?: string }

/** Part of a list; `next` is the cursor of what follows, null where nothing does. */
export type Page<Name extends string, Item> = Readonly<Record<Name, readonly Item[]>> & {
  readonly next: string | null
}

/** As of the domain's `Schedules`; `shown` is the revision of the schedule that was shown. */
export interface ScheduleClient {
  list(): Promise<readonly ShownSchedule[]>
  show(name: string): Promise<ScheduleDetail>
  create(request: ScheduleRequest): Promise<ScheduleDetail>
  update(name: string, change: ScheduleChange, shown?: number): Promise<ScheduleDetail>
  remove(name: string, shown?: number): Promise<void>
  enable(name: string, enabled: boolean): Promise<ScheduleDetail>
  /** `key`: the same run may be asked for again under it, and makes one task. */
  run(name: string, key?: string): Promise<Ran>
  /** The newest. */
  occurrences(name: string, limit: number): Promise<readonly Occurrence[]>
}

const under = (key: string | undefined) => (key === undefined ? {} : { 'idempotency-key': key })

export function createClient(fetch: FetchLike): Client {
  const { get, post } = verbs(fetch)
  const taskPage: Client['taskPage'] = async ({ statuses, needsPerson, ...filter }) => {
    const query = { ...filter, status: statuses?.join(','), needs_person: needsPerson?.toString() }
    return read(await get(`/v1/tasks${search(query)}`), answers.tasksSchema)
  }
  return {
    schedules: scheduleClient(fetch),
    ping: async (signal) => {
      const call = { method: 'GET', headers: {}, ...(signal === undefined ? {} : { signal }) } as const
      await textOf(await send(fetch, '/healthz', call))
    },
    submit: async (request, key) =>
      read(await post('/v1/tasks', request, under(key)), answers.submittedSchema),
    ask: async (request, key) =>
      read(await post('/v1/questions', request, under(key)), answers.submittedSchema),
    task: async (id) => read(await get(`/v1/tasks/${id}`), taskSchema),
    tasks: async (filter) => (await taskPage(filter)).tasks,
    taskPage,
    search: async ({ text, statuses, ...filter }) =>
      read(
        await get(
          `/v1/search${search({ q: text.slice(0, queryLimits.letters), status: statuses?.join(','), ...filter })}`,
        ),
        answers.searchAnswerSchema,
      ),
    act: async (id, { act, ...body }, shown) =>
      read(
        await post(`/v1/tasks/${id}/${act}`, body, { 'if-match': shown === undefined ? '*' : `"${shown}"` }),
        taskSchema,
      ),
    review: async (id, request, shown) =>
      read(
        await post(`/v1/tasks/${id}/reviews`, request, {
          'if-match': shown === undefined ? '*' : `"${shown}"`,
        }),
        answers.reviewedSchema,
      ),
    withdraw: async (id, review) => {
      const call = { method: 'DELETE', headers: {} } as const
      return read(await send(fetch, `/v1/tasks/${id}/reviews/${review}`, call), taskSchema)
    },
    events: async (id, after) =>
      (await read(await get(`/v1/tasks/${id}/events${search({ after })}`), answers.eventsSchema)).events,
    checkpoints: async (id) =>
      (await read(await get(`/v1/tasks/${id}/checkpoints`), answers.checkpointsSchema)).checkpoints,
    egress: async (id, filter) =>
      (await read(await get(`/v1/tasks/${id}/egress${search({ ...filter })}`), answers.egressLogSchema))
        .egress,
    attestations: async (id) =>
      (await read(await get(`/v1/tasks/${id}/attestations`), answers.attestationsSchema)).attestations,
    verify: async (id, keys) => {
      const key = keys.length === 0 ? null : keys.map((each) => each.toString('base64url')).join(',')
      return read(await get(`/v1/tasks/${id}/verification${search({ key })}`), answers.verificationSchema)
    },
    attestationKey: async () => read(await get('/v1/attestation-key'), answers.attestationKeySchema),
    diff: async (id, step, against) => textOf(await get(`/v1/tasks/${id}/diff${search({ step, against })}`)),
    logs: async (id, step) => textOf(await get(`/v1/tasks/${id}/logs${search({ step })}`)),
    explain: async (request) => read(await post('/v1/explain', request), answers.explanationSchema),
    ready: async () => {
      await textOf(await get('/readyz'))
    },
    doctor: async (of) =>
      (await read(await get(`/v1/doctor${search({ of })}`), answers.doctorSchema)).findings,
    letters: async ({ states, ...filter }) =>
      read(await get(`/v1/outbox${search({ ...filter, state: states?.join(',') })}`), answers.lettersSchema),
    letter: async (id) => read(await get(`/v1/outbox/${id}`), answers.letterSchema),
    actOnLetter: async (id, act) => read(await post(`/v1/outbox/${id}/${act}`), answers.letterSchema),
    watch: (id, after, signal) => watch(fetch, id, after, signal),
    attend: async (id) => {
      await textOf(await post(`/v1/tasks/${id}/attend`))
    },
    createToken: async (request) => read(await post('/v1/tokens', request), answers.newTokenSchema),
    tokens: async () => (await read(await get('/v1/tokens'), answers.tokensSchema)).tokens,
    revokeToken: async (which) => {
      const call = { method: 'DELETE', headers: {} } as const
      return read(await send(fetch, `/v1/tokens/${encodeURIComponent(which)}`, call), answers.tokenSchema)
    },
    audit: async ({ taskId: task, ...filter }) =>
      read(await get(`/v1/audit${search({ task, ...filter })}`), answers.auditPageSchema),
  }
}

type Write = (path: string, body?: unknown, more?: Call['headers']) => Promise<Answer>

function verbs(fetch: FetchLike) {
  const get = (path: string): Promise<Answer> => send(fetch, path, { method: 'GET', headers: {} })
  const write =
    (method: 'POST' | 'PUT'): Write =>
    (path, body = {}, more = {}) =>
      send(fetch, path, {
        method,
        headers: { 'content-type': 'application/json', ...more },
        body: JSON.stringify(body),
      })
  return { get, post: write('POST'), put: write('PUT') }
}

function scheduleClient(fetch: FetchLike): ScheduleClient {
  const { get, post, put } = verbs(fetch)
  const all = '/v1/schedules'
  const at = (name: string, act = ''): string => `${all}/${encodeURIComponent(name)}${act}`
  const {
    scheduleDetailSchema: detailSchema,
    ranSchema,
    schedulesSchema,
    occurrencesSchema,
  } = scheduleAnswers
  const bound = (shown?: number) => ({ 'if-match': shown === undefined ? '*' : `"${shown}"` })
  return {
    list: async () => (await read(await get(all), schedulesSchema)).schedules,
    show: async (name) => read(await get(at(name)), detailSchema),
    create: async (request) => read(await post(all, request), detailSchema),
    update: async (name, change, shown) => read(await put(at(name), change, bound(shown)), detailSchema),
    remove: async (name, shown) => {
      await textOf(await send(fetch, at(name), { method: 'DELETE', headers: bound(shown) }))
    },
    enable: async (name, enabled) =>
      read(await post(at(name, enabled ? '/enable' : '/disable')), detailSchema),
    run: async (name, key) =>
      read(await post(at(name, '/run'), {}, key === undefined ? {} : { 'idempotency-key': key }), ranSchema),
    occurrences: async (name, limit) =>
      (await read(await get(at(name, `/occurrences${search({ limit })}`)), occurrencesSchema)).occurrences,
  }
}

async function watch(
  fetch: FetchLike,
  id: TaskId,
  after: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Sight>> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(after) }
  const answer = await send(fetch, `/v1/tasks/${id}/stream`, { method: 'GET', headers, signal })
  if (answer.status === 204) return nothing()
  if (answer.body === null) throw new Unreachable(true, new Error('The stream is empty.'))
  const reader = answer.body.getReader()
  // Also where nobody has begun to read.
  signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true })
  return sights(reader, signal)
}

/** The task is final, and all of it was seen. */
async function* nothing(): AsyncGenerator<Sight> {}

async function send(fetch: FetchLike, path: string, call: Call): Promise<Answer> {
  const answer = await fetch(path, call)
  if (answer.status < 400) return answer
  const text = await textOf(answer)
  const problem = answers.problemSchema.safeParse(jsonOf(text))
  if (!problem.success) throw new Error(`${call.method} ${path} was answered with ${answer.status}: ${text}`)
  const code = answers.failureCodeSchema.safeParse(problem.data.code)
  throw code.success ? new Failure(code.data, problem.data.detail) : new Error(problem.data.detail)
}

async function read<Schema extends z.ZodType>(answer: Answer, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(jsonOf(await textOf(answer)))
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw new Failure('server', otherVersion(first?.path.join('.') || 'all of it'), { cause: parsed.error })
}

const otherVersion = (where: string): string =>
  `The server's answer is none that this command knows (${where}), so it is of another version of Cofferdam: restart it after an upgrade, or use the command of its version.`

async function textOf(answer: Answer): Promise<string> {
  try {
    return await answer.text()
  } catch (error) {
    throw new Unreachable(true, error)
  }
}

function search(parameters: Readonly<Record<string, string | number | null | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, String(value))
  }
  return query.size === 0 ? '' : `?${query.toString()}`
}
