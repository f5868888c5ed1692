import type { Caller } from '../../domain/caller.ts'
import type { Act, Finding, TaskFilter } from '../../domain/control-plane.ts'
import { budgetParts } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import type { TaskId } from '../../domain/ids.ts'
import { parseTaskRequest } from '../../domain/intake.ts'
import { parseQuestionRequest } from '../../domain/question/request.ts'
import { deliverySaid } from '../../domain/standing.ts'
import type { Task } from '../../domain/task.ts'
import { mayBeSuperseded, possibleActs } from '../../domain/transition/apply.ts'
import { fitted } from '../messages/fitted.ts'
import type { SentFile } from '../messages/message.ts'
import { nextSteps } from '../messages/news.ts'
import { glance, kindOf, statusMessage } from '../messages/status.ts'
import { respelled } from '../respelled.ts'
import { destinationOf } from '../telling.ts'
import { cut, line, moment, most, plain } from '../text.ts'
import { hitLines } from './found.ts'
import {
  agentOf,
  budgetOf,
  idIn,
  type CommandDeps,
  mergeOf,
  pullEndedOf,
  pullOf,
  namedTask,
  repositoryOf,
  shownRevision,
  type Typed,
} from './typed.ts'

/** What somebody is answered, alone. */
export interface Reply {
  readonly text?: string
  readonly embeds?: ReturnType<typeof statusMessage>['embeds']
  readonly files?: readonly SentFile[]
}

/** One use of a command: who, what, and what names it, so that asking twice does it once. */
export interface Use {
  readonly caller: Caller
  readonly typed: Typed
  readonly key: string
}

type Handler = (deps: CommandDeps, use: Use) => Promise<Reply> | Reply

/** Commands that only look; the others are control calls, which go on record. */
export const readOnly: ReadonlySet<string> = new Set(
  'task_status task_list task_logs task_changes schedule_list search doctor'.split(' '),
)

/** What each command does. They throw `Failure` with a sentence for whoever gave it. */
export const handlers: Readonly<Record<string, Handler>> = {
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
        ...notes.map((note) => line(respelled(note), 500)),
      ].join('\n'),
    }
  },

  task_status(deps, { typed }) {
    const task = namedTask(deps, typed)
    const { embeds } = statusMessage(task, deps.plane().checkpoints(task.id))
    const files = task.answer === null ? [] : [{ name: `${task.id}.md`, text: plain(task.answer) }]
    return { text: nextSteps(task, deps.settings.listen.length > 0), embeds, files }
  },

  task_list(deps, { typed }) {
    const filters: Readonly<Record<string, TaskFilter>> = {
      needs: { needsPerson: true },
      running: { statuses: ['PENDING', 'RUNNING', 'VALIDATING'] },
      applied: { statuses: ['APPLIED'] },
    }
    const tasks = deps.plane().tasks({ limit: 15, ...filters[typed.text('state') ?? ''] })
    if (tasks.length === 0) return { text: 'There is none: `/task_start` makes one.' }
    return {
      text: tasks
        .map(
          (task) =>
            `\`${task.id}\` **${task.status}** ${glance(task).word} ${moment(task.updatedAt)} — ${kindOf(task)}${line(task.goal, 70)}`,
        )
        .join('\n'),
    }
  },

  async task_approve(deps, { caller, typed }) {
    const task = namedTask(deps, typed)
    return done(
      await deps.plane().act(task.id, { act: 'approve' }, caller, shownRevision(deps, task, caller)),
    )
  },

  async task_reject(deps, { caller, typed }) {
    const task = namedTask(deps, typed)
    const rejected = { act: 'reject', text: typed.text('reason') } as const
    return done(await deps.plane().act(task.id, rejected, caller, shownRevision(deps, task, caller)))
  },

  async task_suggest(deps, { caller, typed }) {
    const task = namedTask(deps, typed)
    const text = typed.text('text') ?? ''
    // Where replies are not heard this is the one way to tell a running agent something.
    if (possibleActs(task).includes('steer')) return act(deps, task.id, { act: 'steer', text }, caller)
    if (mayBeSuperseded(task)) return await changed(deps, task, text, caller)
    return done(
      await deps.plane().act(task.id, { act: 'suggest', text }, caller, shownRevision(deps, task, caller)),
    )
  },

  async task_resume(deps, { caller, typed }) {
    const { id } = namedTask(deps, typed)
    const budget = budgetParts(budgetOf(typed))
    const wanted = Object.keys(budget).length === 0 ? null : budget
    return act(deps, id, { act: 'resume', instruction: typed.text('instruction'), budget: wanted }, caller)
  },

  task_stop: (deps, { caller, typed }) =>
    act(deps, namedTask(deps, typed).id, { act: 'stop', text: null }, caller),
  task_pause: (deps, { caller, typed }) => act(deps, namedTask(deps, typed).id, { act: 'pause' }, caller),

  task_merge: (deps, { caller, typed }) => act(deps, namedTask(deps, typed).id, mergeOf(typed), caller),
  task_pull_request: (deps, { caller, typed }) => act(deps, namedTask(deps, typed).id, pullOf(typed), caller),
  async task_pull_ended(deps, { caller, typed }) {
    const { id } = namedTask(deps, typed)
    const task = await deps.plane().act(id, pullEndedOf(typed), caller, null)
    return { text: `Task \`${id}\`: ${line(deliverySaid(task) ?? '', 500)}` }
  },
  task_undo: (deps, { caller, typed }) => act(deps, namedTask(deps, typed).id, { act: 'undo' }, caller),
  task_discard: (deps, { caller, typed }) => act(deps, namedTask(deps, typed).id, { act: 'discard' }, caller),

  task_withdraw(deps, { caller, typed }) {
    const { id } = namedTask(deps, typed)
    const review = typed.number('review') ?? 0
    deps.plane().withdraw(id, review, caller)
    return { text: `What was said in review ${review} of task \`${id}\` is withdrawn.` }
  },

  async task_logs(deps, { typed }) {
    const { id } = namedTask(deps, typed)
    const text = await deps.plane().logs(id, typed.number('step'))
    if (text.trim() === '') return { text: `The boxes of \`${id}\` have printed nothing.` }
    return {
      text: `What the boxes of \`${id}\` printed:`,
      files: [{ name: `${id}.log`, text: text.slice(-mostFile) }],
    }
  },

  async task_changes(deps, { typed }) {
    const { id, branch, parentTaskId } = namedTask(deps, typed)
    const against = typed.text('against')
    const text = await deps.plane().diff(id, typed.number('step'), against)
    const into = against === null ? '' : line(against, 100)
    const before =
      parentTaskId === null || against !== null
        ? ''
        : ` It begins with what \`${parentTaskId}\` has changed, which is delivered with it.`
    if (text === '')
      return {
        text:
          against === null
            ? `\`${id}\` has changed nothing.${before}`
            : `\`${id}\` would change nothing in ${into}.`,
      }
    const attached = fitted(text, mostFile)
    const files = [{ name: `${id}.diff`, text: attached.text }]
    const short = attached.isCut ? ' It is cut: `cofferdam task diff` has more of it.' : ''
    const what =
      against === null
        ? `The diff of \`${id}\`, branch \`${branch}\`.`
        : `What a merge of \`${id}\` would change in ${into} now.`
    return { text: `${what}${before}${short}`, files }
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

  async ask(deps, { caller, typed, key }) {
    const followUp = typed.text('follow_up')
    const named = typed.text('repository')
    const agent = typed.text('agent')
    const parsed = parseQuestionRequest({
      question: typed.text('question') ?? '',
      repository: followUp === null || named !== null ? repositoryOf(deps, named) : null,
      agent: agent === null ? null : { name: agent },
      followUp: followUp === null ? null : idIn(followUp),
    })
    if (!parsed.ok) throw new Failure('bad_request', parsed.problems.join(' '))
    const { task, notes } = await deps.plane().ask(parsed.request, caller, key)
    // A follow-up is said where the question before it was.
    const shared = deps.book.find(destinationOf(deps.settings), task.id, 'thread')
    const where = shared === null ? `its thread in <#${deps.settings.channel}>` : `<#${shared.message}>`
    const said =
      task.status === 'DRAFT' ? `It waits for a decision, in ${where}.` : `The answer comes in ${where}.`
    return {
      text: [
        `Question \`${task.id}\`: ${line(task.goal, 200)}`,
        said,
        ...notes.map((note) => line(respelled(note), 500)),
      ].join('\n'),
    }
  },

  async doctor(deps, { caller }) {
    const findings = await deps.plane().doctor('all', caller)
    return { text: cut(findings.map(findingLine).join('\n'), most.content) }
  },
}

/** Discord takes 10 MiB; a phone opens less. */
const mostFile = 4_000_000

/** Has another task change the work of an applied one. */
async function changed(
  deps: CommandDeps,
  { id, revision }: Task,
  text: string,
  caller: Caller,
): Promise<Reply> {
  const request = { text, comments: [], requestChanges: true, budget: {} }
  const { followUp } = await deps.plane().review(id, request, caller, revision)
  const next = followUp === null ? '' : ` Task \`${followUp.id}\` changes it, and is ${followUp.status}.`
  return { text: `The work of \`${id}\` is not merged as it is.${next}` }
}

/** What an act of somebody's came to. */
async function act(deps: CommandDeps, id: TaskId, what: Act, caller: Caller): Promise<Reply> {
  return done(await deps.plane().act(id, what, caller, null))
}

export const done = (task: Task): Reply => ({ text: `Task \`${task.id}\` is ${standing(task)} now.` })

function standing({ status, phase, delivery, merge, pull }: Task): string {
  switch (delivery) {
    case 'delivering':
      if (phase === 'push' || phase === 'pull_open') return `on the way to ${line(pull?.project ?? '', 100)}`
      return `on the way into ${line(merge?.into ?? '', 100)}`
    case 'discarded':
      return 'discarded'
    default:
      return status
  }
}

const signs: Readonly<Record<Finding['state'], string>> = { ok: '✅', warning: '⚠️', problem: '❌' }
const findingLine = ({ name, state, text }: Finding): string =>
  `${signs[state]} **${name}** ${line(respelled(text), 300)}`
