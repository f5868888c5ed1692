import {
  DiscordAPIError,
  MessageType,
  type REST,
  type RESTPostAPIChannelMessageJSONBody,
  Routes,
} from 'discord.js'
import type { Caller } from '../domain/caller.ts'
import { Failure } from '../domain/failure.ts'
import { intentOf } from '../domain/intent.ts'
import type { TaskId } from '../domain/ids.ts'
import { parseTaskRequest } from '../domain/intake.ts'
import { parseQuestionRequest } from '../domain/question/request.ts'
import type { Task } from '../domain/task.ts'
import { repositoryOf } from './commands/typed.ts'
import { destinationOf } from './telling.ts'
import type { InteractionsDeps } from './interactions.ts'
import { callerOf } from './members.ts'
import { respelled } from './respelled.ts'
import { missed, noteHeard, type Said } from './missed.ts'
import { pauseAfter } from './pauses.ts'
import { actOfReply, addressee } from './reply.ts'
import { Seen } from './seen.ts'
import { insist } from './sending.ts'
import { cut, line, most } from './text.ts'
import { Turns } from './turns.ts'

/** Between two tries to read a thread, ms. */
const longestPauseMs = 300_000

/**
 * Hears what people write: a wish in a channel that is listened to becomes a task, and a reply in a task's thread steers it.
 * Whoever is no owner or operator is not heard. It takes messages as the gateway brings them: the library leaves out those
 * of channels and threads that it was not told of.
 */
export class Talk {
  readonly #deps: InteractionsDeps
  readonly #rest: () => REST
  readonly #seen = new Seen()
  /** Of threads: what is noted as heard would lose what was written before it and is still being asked. */
  readonly #turns = new Turns()
  readonly #closing = new AbortController()
  /** What was written while nobody listened has been read, but for `#unread`. */
  #caughtUp: Promise<void> = Promise.resolve()
  /** Threads that could not be read yet: what is written there now is read with what was written before. */
  #unread: ReadonlySet<string> = new Set()
  #failures = 0

  constructor(deps: InteractionsDeps, rest: () => REST) {
    this.#deps = deps
    this.#rest = rest
  }

  /** A session has begun: reads what was written in threads while there was none. Never rejects. */
  async catchUp(): Promise<void> {
    const reading = this.#caughtUp.then(() => this.#readMissed())
    this.#caughtUp = reading
    await reading
  }

  /** What is written now, which waits for what was written before. */
  async hear(message: Said): Promise<void> {
    await this.#caughtUp
    if (!this.#unread.has(message.channel_id)) await this.#take(message)
  }

  close(): void {
    this.#closing.abort()
  }

  async #readMissed(): Promise<void> {
    const { signal } = this.#closing
    const report = (error: unknown): void => {
      if (!signal.aborted) this.#deps.report(error, { what: 'messages that were missed' })
    }
    const unread = new Set<string>()
    const note = (thread: string, error: unknown): void => {
      report(error)
      // What it may not read it never will; what is written now it is told of all the same.
      if (!(error instanceof DiscordAPIError)) unread.add(thread)
    }
    try {
      for await (const message of missed(this.#deps, this.#rest(), signal, note)) {
        if (signal.aborted) return
        // One that cannot be answered keeps none from being heard.
        await this.#take(message).catch(report)
      }
    } catch (error) {
      report(error)
    }
    this.#unread = unread
    if (unread.size > 0) this.#readLater(signal)
    else this.#failures = 0
  }

  /** Behind what is read then, so that whatever is written meanwhile waits its turn. */
  #readLater(signal: AbortSignal): void {
    this.#failures += 1
    const pause = setTimeout(() => void this.catchUp(), pauseAfter(this.#failures, longestPauseMs))
    pause.unref()
    signal.addEventListener('abort', () => clearTimeout(pause), { once: true })
  }

  async #take(message: Said): Promise<void> {
    const { settings, report } = this.#deps
    const { id, author, type, webhook_id: webhook, guild_id: guild, content, member } = message
    const isSaid = type === MessageType.Default || type === MessageType.Reply
    const isTalk = isSaid && author.bot !== true && webhook === undefined && content.trim() !== ''
    if (!isTalk || guild !== settings.guild || this.#seen.before(id)) return
    const caller = callerOf(author.id, member?.roles ?? [], settings)
    if (caller === null || caller.role === 'viewer') return
    const rest = this.#rest()
    try {
      const isWish = settings.listen.some(({ channel }) => channel === message.channel_id)
      const work = (): Promise<string | null> => hear(this.#deps, message, caller)
      const answer = await (isWish ? work() : this.#turns.take(message.channel_id, work))
      if (answer === null) return
      await nod(rest, message).catch(() => undefined)
      if (answer !== '') await replyTo(rest, message, answer)
    } catch (error) {
      if (error instanceof Failure) return replyTo(rest, message, respelled(error.message))
      report(error, { message: id })
      const sorry = 'That went wrong inside Cofferdam, whose log says more: look how the task stands.'
      await replyTo(rest, message, sorry)
    }
  }
}

/** What they are told; '' for nothing more than that they were heard, null where they were not meant to be. */
async function hear(deps: InteractionsDeps, message: Said, caller: Caller): Promise<string | null> {
  const { book, settings, plane } = deps
  const tasks = book.tasksOf(destinationOf(settings), message.channel_id).map((id) => plane().task(id))
  const [newest] = tasks
  if (newest !== undefined) return hearReply(deps, message, addressee(newest, tasks), caller)
  const place = settings.listen.find(({ channel }) => channel === message.channel_id)
  const intent = place === undefined ? null : intentOf(message.content)
  if (place === undefined || intent?.kind !== 'task') return null
  const repository = repositoryOf(deps, place.repository, intent.goal)
  const parsed = parseTaskRequest({ goal: intent.goal, repository })
  if (!parsed.ok) throw new Failure('bad_request', parsed.problems.join(' '))
  const { task } = await recorded(deps, message, 'message', null, () =>
    plane().submit(parsed.request, caller, keyOf(message)),
  )
  const said = task.status === 'DRAFT' ? 'it waits for a decision' : 'it runs by itself'
  return `Task \`${task.id}\` on ${line(repository.split('/').at(-1) ?? '', 60)}: ${said}.`
}

/** What is made of a message is made under this, once. */
const keyOf = ({ id }: Said): string => `discord:${id}`

/** @param task the one of the thread that it is for */
async function hearReply(deps: InteractionsDeps, message: Said, task: Task, caller: Caller): Promise<string> {
  const { plane } = deps
  const { id } = task
  // Asked by a process that ended before it could note so: the thread may be about another question by now.
  const made = plane().made(keyOf(message), caller)
  if (made !== null) {
    noteHeard(deps, id, message.channel_id, message.id)
    return askedText(made)
  }
  const act = actOfReply(task, message.content)
  // It has a key, and is made once however often it is asked: so it is not lost where this process ends meanwhile.
  if (typeof act !== 'string' && act.act === 'ask') return askMore(deps, message, id, act.text, caller)
  // Before it is done: whatever happens meanwhile, nothing is done twice.
  noteHeard(deps, id, message.channel_id, message.id)
  if (typeof act === 'string') return act
  await recorded(deps, message, act.act, id, () => plane().act(id, act, caller, null))
  return act.act === 'steer' || act.act === 'resume'
    ? ''
    : `Task \`${id}\` is ${plane().task(id).status} now.`
}

async function askMore(
  deps: InteractionsDeps,
  message: Said,
  followUp: TaskId,
  question: string,
  caller: Caller,
): Promise<string> {
  const heard = (): void => noteHeard(deps, followUp, message.channel_id, message.id)
  const { task } = await recorded(deps, message, 'ask', followUp, async () => {
    const parsed = parseQuestionRequest({ question, followUp })
    if (!parsed.ok) throw new Failure('bad_request', parsed.problems.join(' '))
    return deps.plane().ask(parsed.request, caller, keyOf(message))
  }).catch((error: unknown) => {
    // They are told why, and are not to find it asked, and paid for, on another day.
    if (isRefused(error)) heard()
    throw error
  })
  heard()
  return askedText(task)
}

/** Whether they are told no for good: a git that was ended may have been so with this process, and the next asks again. */
const isRefused = (error: unknown): boolean =>
  error instanceof Failure &&
  [error, error.cause].every((each) => !(each instanceof Failure && each.code === 'worktree'))

/** The answer comes into the same thread, so that nothing need be said of it before. */
const askedText = ({ id, status }: Task): string =>
  status === 'DRAFT' ? `Question \`${id}\`: it waits for a decision.` : ''

async function recorded<T>(
  deps: InteractionsDeps,
  message: Said,
  action: string,
  taskId: string | null,
  work: () => Promise<T>,
): Promise<T> {
  const row = {
    actor: { kind: 'discord', id: message.author.id },
    action: `discord ${action}`,
    taskId,
    requestId: message.id,
  } as const
  const record = (outcome: 'allowed' | 'refused' | 'failed', text: string): void => {
    try {
      deps.plane().access.record({ ...row, outcome, text: text.slice(0, 500) })
    } catch (error) {
      // What was done is done.
      deps.report(error, { message: message.id })
    }
  }
  const result = await work().catch((error: unknown) => {
    if (error instanceof Failure) record('refused', error.message)
    else record('failed', '')
    throw error
  })
  record('allowed', '')
  return result
}

async function nod(rest: REST, { channel_id: channel, id }: Said): Promise<void> {
  await rest.put(Routes.channelMessageOwnReaction(channel, id, encodeURIComponent('👀')))
}

/** Discord knows by the nonce that a second one is the same. */
async function replyTo(rest: REST, { channel_id: channel, id }: Said, text: string): Promise<void> {
  const body: RESTPostAPIChannelMessageJSONBody = {
    content: cut(text, most.content),
    allowed_mentions: { parse: [], replied_user: false },
    message_reference: { message_id: id, fail_if_not_exists: false },
    nonce: id,
    enforce_nonce: true,
  }
  await insist(() => rest.post(Routes.channelMessages(channel), { body }))
}
