import type { Caller } from '../../domain/caller.ts'
import type { Act, ControlPlane, Finding } from '../../domain/control-plane.ts'
import type { DiscordSettings } from '../../domain/discord.ts'
import { budgetParts } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import { parseTaskId, type TaskId } from '../../domain/ids.ts'
import { type BudgetRequest, parseTaskRequest } from '../../domain/intake.ts'
import type { MessageBook } from '../../domain/outbox/messages.ts'
import type { Task } from '../../domain/task.ts'
import { possibleActs } from '../../domain/transition/apply.ts'
import { destinationOf } from '../telling.ts'
import type { SentFile } from '../messages/message.ts'
import { nextSteps } from '../messages/news.ts'
import { look, statusMessage } from '../messages/status.ts'
import { cut, line, moment, most } from '../text.ts'
import { hitLines } from './found.ts'

/** What somebody is answered, alone. */
export interface Reply {
  readonly text?: string
  readonly embeds?: ReturnType<typeof statusMessage>['embeds']
  readonly files?: readonly SentFile[]
}

/** What was typed into a command. */
export interface Typed {
  text(name: string): string | null
  number(name: string): number | null
  yes(name: string): boolean | null
}

export interface DeskDeps {
  readonly plane: () => ControlPlane
  readonly settings: DiscordSettings
  readonly book: MessageBook
}

/** One use of a command: who, what, and what names it, so that asking twice does it once. */
export interface Use {
  readonly caller: Caller
  readonly typed: Typed
  readonly key: string
}

type Handler = (deps: DeskDeps, use: Use) => Promise<Reply> | Reply

/** Commands that only look; the others are control calls, which go on record. */
export const looks: ReadonlySet<string> = new Set(
  'task_status task_list task_logs task_changes schedule_list search ask doctor'.split(' '),
)

/** What each command does. They throw `Failure` with a sentence for whoever gave it. */
export const desk: Readonly<Record<string, Handler>> = {
  async task_start(deps, { caller, typed, key }) {
    const repository = repositoryOf(deps, typed.text('repository'))
    const parsed = parseTaskRequest({
      goal: typed.text('goal') ?? '',
      repository,
      agent: agentOf(deps, repository, typed.text('agent')),
      ...(typed.text('test') === null ? {} : { test: typed.text('test') }),
      budget: budgetOf(typed),
      draft: typed.yes('draft') ?? false,
    })
    if (!parsed.ok) throw new Failure('bad_request', parsed.problems.join(' '))
    const { task, notes } = await deps.plane().submit(parsed.request, caller, key)
    const said =
      task.status === 'DRAFT'
        ? `It waits for a decision, in its thread in <#${deps.settings.channel}>.`
        : `It runs by itself; <#${deps.settings.channel}> shows how it stands.`
    return {
      text: [
        `Task \`${task.id}\`: ${line(task.goal, 200)}`,
        said,
        ...notes.map((note) => line(note, 500)),
      ].join('\n'),
    }
  },

  task_status(deps, { typed }) {
    const task = taskOf(deps, typed)
    const { embeds } = statusMessage(task, deps.plane().checkpoints(task.id))
    return { text: nextSteps(task, deps.settings.listen.length > 0), embeds }
  },

  task_list(deps, { typed }) {
    const statuses = {
      needs: ['DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT'],
      running: ['PENDING', 'RUNNING', 'VALIDATING'],
      applied: ['APPLIED'],
    } as const
    const state = typed.text('state')
    const chosen = state === null ? undefined : Object.entries(statuses).find(([name]) => name === state)?.[1]
    const tasks = deps.plane().tasks({ limit: 15, ...(chosen === undefined ? {} : { statuses: chosen }) })
    if (tasks.length === 0) return { text: 'There is none: `/task_start` makes one.' }
    return {
      text: tasks
        .map(
          (task) =>
            `\`${task.id}\` **${task.status}** ${look(task).word} ${moment(task.updatedAt)} — ${line(task.goal, 70)}`,
        )
        .join('\n'),
    }
  },

  async task_approve(deps, { caller, typed }) {
    const task = taskOf(deps, typed)
    return done(
      await deps.plane().act(task.id, { act: 'approve' }, caller, shownRevision(deps, task, caller)),
    )
  },

  async task_reject(deps, { caller, typed }) {
    const task = taskOf(deps, typed)
    const rejected = { act: 'reject', text: typed.text('reason') } as const
    return done(await deps.plane().act(task.id, rejected, caller, shownRevision(deps, task, caller)))
  },

  async task_suggest(deps, { caller, typed }) {
    const task = taskOf(deps, typed)
    const text = typed.text('text') ?? ''
    // Where replies are not heard this is the one way to tell a running agent something.
    if (possibleActs(task).includes('steer')) return act(deps, task.id, { act: 'steer', text }, caller)
    return done(
      await deps.plane().act(task.id, { act: 'suggest', text }, caller, shownRevision(deps, task, caller)),
    )
  },

  async task_resume(deps, { caller, typed }) {
    const { id } = taskOf(deps, typed)
    const budget = budgetParts(budgetOf(typed))
    const wanted = Object.keys(budget).length === 0 ? null : budget
    return act(deps, id, { act: 'resume', instruction: typed.text('instruction'), budget: wanted }, caller)
  },

  task_stop: (deps, { caller, typed }) =>
    act(deps, taskOf(deps, typed).id, { act: 'stop', text: null }, caller),
  task_pause: (deps, { caller, typed }) => act(deps, taskOf(deps, typed).id, { act: 'pause' }, caller),

  async task_logs(deps, { typed }) {
    const { id } = taskOf(deps, typed)
    const text = await deps.plane().logs(id, typed.number('step'))
    if (text.trim() === '') return { text: `The boxes of \`${id}\` have printed nothing.` }
    return {
      text: `What the boxes of \`${id}\` printed:`,
      files: [{ name: `${id}.log`, text: text.slice(-mostFile) }],
    }
  },

  async task_changes(deps, { typed }) {
    const { id, branch } = taskOf(deps, typed)
    const text = await deps.plane().diff(id, typed.number('step'))
    if (text === '') return { text: `\`${id}\` has changed nothing.` }
    const files = [{ name: `${id}.diff`, text: text.slice(0, mostFile) }]
    const short = text.length > mostFile ? ' It is cut: `cofferdam task diff` has it whole.' : ''
    return { text: `The diff of \`${id}\`, branch \`${branch}\`.${short}`, files }
  },

  schedule_list(deps) {
    const all = deps.plane().schedules.list()
    if (all.length === 0)
      return {
        text: 'There is none: `schedules` in the configuration or `cofferdam schedule add` makes one.',
      }
    return {
      text: cut(
        all
          .map(({ name, enabled, gone, nextAt, last }) => {
            const next = gone
              ? 'no longer configured'
              : !enabled || nextAt === null
                ? 'disabled'
                : `next ${moment(nextAt)}`
            return `**${line(name, 60)}** ${next}${last === null ? '' : `, last ${last.state} ${moment(last.plannedAt)}`}`
          })
          .join('\n'),
        most.content,
      ),
    }
  },

  async schedule_run(deps, { caller, typed, key }) {
    const name = typed.text('schedule') ?? ''
    const { task } = await deps.plane().schedules.run(name, caller, key)
    return { text: `Schedule **${line(name, 60)}** made task \`${task.id}\`, which is ${task.status}.` }
  },

  async search(deps, { typed }) {
    const answer = await deps.plane().search({ text: typed.text('words') ?? '', limit: 8 })
    return { text: cut(hitLines(answer), most.content) }
  },

  ask: () => ({
    text: 'No agent that can answer is configured: this version has none that does more than work on a goal. `/task_start` has one do that.',
  }),

  async doctor(deps) {
    return { text: cut((await deps.plane().doctor()).map(findingLine).join('\n'), most.content) }
  },
}

/** Discord takes 10 MiB; a phone opens less. */
const mostFile = 4_000_000

/** What an act of somebody's came to. */
async function act(deps: DeskDeps, id: TaskId, what: Act, caller: Caller): Promise<Reply> {
  return done(await deps.plane().act(id, what, caller, null))
}

export const done = ({ id, status }: Task): Reply => ({ text: `Task \`${id}\` is ${status} now.` })

function taskOf({ plane }: DeskDeps, typed: Typed): Task {
  const text = (typed.text('task') ?? '').trim()
  const id = parseTaskId(text)
  if (id === null)
    throw new Failure(
      'bad_request',
      `${line(text, 40)} is no task id: it has ten letters, as \`/task_list\` shows them.`,
    )
  return plane().task(id)
}

/**
 * A decision on a draft by a command is about what was shown of it here last; one on another task is bound to nothing.
 * What was not shown, and is not about to be, is offered anew: Discord may have been configured after it was made.
 */
function shownRevision(
  { book, plane, settings }: DeskDeps,
  { id, status }: Task,
  caller: Caller,
): number | null {
  if (status !== 'DRAFT') return null
  const destination = destinationOf(settings)
  const shown = book.newest(destination, id, 'decision:')
  if (shown !== null) return shown.revision
  const onItsWay = plane().outbox.letters({ destination, task: id, states: ['waiting', 'sending'], limit: 1 })
  if (onItsWay.length === 0) plane().offer(id, caller)
  throw new Failure(
    'conflict',
    `Task ${id} has not been shown here yet: wait for its message in <#${settings.channel}>, then decide.`,
  )
}

/** @param said where a repository may be named in passing, by the name of its folder */
export function repositoryOf({ plane }: DeskDeps, named: string | null, said = ''): string {
  const known = plane().repositories()
  const configured = known.filter((one) => one.configured)
  if (named !== null) {
    const found = known.find(({ path }) => path === named || path.split('/').at(-1) === named)
    return found?.path ?? named
  }
  const words = new Set(said.split(/[^\p{L}\p{N}._-]+/u))
  const meant = known.filter(({ path }) => words.has(path.split('/').at(-1) ?? ''))
  const only =
    meant.length === 1
      ? meant[0]
      : configured.length === 1
        ? configured[0]
        : known.length === 1
          ? known[0]
          : undefined
  if (only !== undefined) return only.path
  throw new Failure(
    'bad_request',
    known.length === 0
      ? 'No repository is configured: name one by its path, or put it under `repositories` in the configuration.'
      : `Several repositories are known: name one (${known.map(({ path }) => path.split('/').at(-1)).join(', ')}).`,
  )
}

/** The one that the repository gets anyway is taken with its arguments, which its name alone does not tell. */
function agentOf({ plane }: DeskDeps, repository: string, named: string | null): { name: string } | null {
  const own = plane()
    .repositories()
    .find(({ path }) => path === repository)?.agent
  const usual =
    own ??
    plane()
      .agents()
      .find((one) => one.usual)?.name
  return named === null || named === usual ? null : { name: named }
}

function budgetOf(typed: Typed): BudgetRequest {
  const parts = ['steps', 'minutes', 'tokens', 'cost'] as const
  return Object.fromEntries(
    parts.flatMap((part) => [[part, typed.number(part)]]).filter(([, value]) => value !== null),
  )
}

const marks: Readonly<Record<Finding['state'], string>> = { ok: '✅', warning: '⚠️', problem: '❌' }
const findingLine = ({ name, state, text }: Finding): string =>
  `${marks[state]} **${name}** ${line(text, 300)}`
