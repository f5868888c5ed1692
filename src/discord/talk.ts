import {
  type GatewayMessageCreateDispatchData,
  MessageType,
  type REST,
  type RESTPostAPIChannelMessageJSONBody,
  Routes,
} from 'discord.js'
import type { Caller } from '../domain/caller.ts'
import { Failure } from '../domain/failure.ts'
import { intentOf } from '../domain/intent.ts'
import { parseTaskRequest } from '../domain/intake.ts'
import { repositoryOf } from './commands/desk.ts'
import { destinationOf } from './telling.ts'
import type { InteractionsDeps } from './interactions.ts'
import { callerOf } from './members.ts'
import { actOfReply } from './reply.ts'
import { Seen } from './seen.ts'
import { insist } from './sending.ts'
import { cut, line, most } from './text.ts'

type Message = GatewayMessageCreateDispatchData

/**
 * Hears what people write: a wish in a channel that is listened to becomes a task, and a reply in a task's thread steers it.
 * Whoever is no owner or operator is not heard. It takes messages as the gateway brings them: the library leaves out those
 * of channels and threads that it was not told of.
 */
export function talk(deps: InteractionsDeps, rest: () => REST): (message: Message) => Promise<void> {
  const seen = new Seen()
  return async (message) => {
    const { id, author, type, webhook_id: webhook, guild_id: guild, content, member } = message
    const isSaid = type === MessageType.Default || type === MessageType.Reply
    const isTalk = isSaid && author.bot !== true && webhook === undefined && content.trim() !== ''
    if (!isTalk || guild !== deps.settings.guild || seen.before(id)) return
    const caller = callerOf(author.id, member?.roles ?? [], deps.settings)
    if (caller === null || caller.role === 'viewer') return
    try {
      const reply = await hear(deps, message, caller)
      if (reply === null) return
      await heard(rest(), message).catch(() => undefined)
      if (reply !== '') await say(rest(), message, reply)
    } catch (error) {
      if (error instanceof Failure) return say(rest(), message, error.message)
      deps.report(error, { message: id })
      await say(
        rest(),
        message,
        'That went wrong inside Cofferdam, whose log says more: look how the task stands.',
      )
    }
  }
}

/** What they are told; '' for nothing more than that they were heard, null where they were not meant to be. */
async function hear(deps: InteractionsDeps, message: Message, caller: Caller): Promise<string | null> {
  const { book, settings, plane } = deps
  const id = book.taskOf(destinationOf(settings), message.channel_id)
  if (id !== null) {
    const act = actOfReply(plane().task(id), message.content)
    if (typeof act === 'string') return act
    await recorded(deps, message, act.act, id, () => plane().act(id, act, caller, null))
    return act.act === 'steer' || act.act === 'resume'
      ? ''
      : `Task \`${id}\` is ${plane().task(id).status} now.`
  }
  const place = settings.listen.find(({ channel }) => channel === message.channel_id)
  const intent = place === undefined ? null : intentOf(message.content)
  if (place === undefined || intent?.kind !== 'task') return null
  const repository = repositoryOf(deps, place.repository, intent.goal)
  const parsed = parseTaskRequest({ goal: intent.goal, repository })
  if (!parsed.ok) throw new Failure('bad_request', parsed.problems.join(' '))
  const { task } = await recorded(deps, message, 'message', null, () =>
    plane().submit(parsed.request, caller, `discord:${message.id}`),
  )
  const said = task.status === 'DRAFT' ? 'it waits for a decision' : 'it runs by itself'
  return `Task \`${task.id}\` on ${line(repository.split('/').at(-1) ?? '', 60)}: ${said}.`
}

async function recorded<T>(
  deps: InteractionsDeps,
  message: Message,
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

async function heard(rest: REST, { channel_id: channel, id }: Message): Promise<void> {
  await rest.put(Routes.channelMessageOwnReaction(channel, id, encodeURIComponent('👀')))
}

/** Discord knows by the nonce that a second one is the same. */
async function say(rest: REST, { channel_id: channel, id }: Message, text: string): Promise<void> {
  const body: RESTPostAPIChannelMessageJSONBody = {
    content: cut(text, most.content),
    allowed_mentions: { parse: [], replied_user: false },
    message_reference: { message_id: id, fail_if_not_exists: false },
    nonce: id,
    enforce_nonce: true,
  }
  await insist(() => rest.post(Routes.channelMessages(channel), { body }))
}
