import {
  type APIGuildMember,
  type APIMessage,
  DiscordAPIError,
  type RESTGetAPIGuildThreadsResult,
  type REST,
  Routes,
} from 'discord.js'
import type { ControlPlane } from '../domain/control-plane.ts'
import type { DiscordSettings } from '../domain/discord.ts'
import type { TaskId } from '../domain/ids.ts'
import type { MessageBook } from '../domain/outbox/messages.ts'
import { canFollowUp } from '../domain/question/follow-up.ts'
import type { Status, Task } from '../domain/task.ts'
import { addressee } from './reply.ts'
import { insist, messagesAfter } from './sending.ts'
import { destinationOf } from './telling.ts'

/** A message that somebody has written, of which the gateway and the REST interface tell alike. */
export type Said = Pick<APIMessage, 'id' | 'author' | 'type' | 'webhook_id' | 'content' | 'channel_id'> & {
  readonly guild_id?: string
  readonly member?: { readonly roles: readonly string[] }
}

export interface MissedDeps {
  readonly settings: DiscordSettings
  readonly book: MessageBook
  readonly plane: () => Pick<ControlPlane, 'task'>
}

const final: ReadonlySet<Status> = new Set<Status>(['APPLIED', 'REJECTED'])

/** Whether nothing that is written in its thread does anything: an answered question may be followed up. */
const isOver = (task: Task): boolean => final.has(task.status) && !canFollowUp(task)

/** The last message that was heard in a task's thread: those after it are yet to be read. */
export function noteHeard(
  { book, settings }: Pick<MissedDeps, 'book' | 'settings'>,
  taskId: TaskId,
  thread: string,
  message: string,
): void {
  const destination = destinationOf(settings)
  const last = book.find(destination, taskId, 'heard')
  if (last !== null && last.channel === thread && BigInt(last.message) >= BigInt(message)) return
  const row = { destination, taskId, kind: 'heard', channel: thread, message }
  book.put({ ...row, shown: 0, revision: 0, settled: true })
}

/** The same of a thread, whichever of its tasks it was said to; null where nothing is noted. */
export function heardIn(
  { book, settings }: Pick<MissedDeps, 'book' | 'settings'>,
  thread: string,
): string | null {
  const destination = destinationOf(settings)
  const marks = book
    .tasksOf(destination, thread)
    .map((id) => book.find(destination, id, 'heard'))
    .flatMap((row) => (row?.channel === thread ? [BigInt(row.message)] : []))
  return marks.length === 0 ? null : String(marks.reduce((one, other) => (one > other ? one : other)))
}

/**
 * What was written in the threads of tasks that are not final after what was heard there last, oldest first. Only threads
 * that are not archived are read: Discord archives them three days after the last word. Where nothing is noted, as in
 * threads from before there was anybody to listen, reading begins now.
 * @param unread is given the threads that could not be read, each with why; the others are read all the same
 */
export async function* missed(
  deps: MissedDeps,
  rest: REST,
  signal: AbortSignal,
  unread: (thread: string, error: unknown) => void,
): AsyncGenerator<Said> {
  const { settings, book, plane } = deps
  const rolesOf = asked(rest, settings)
  const active = Routes.guildActiveThreads(settings.guild)
  const { threads } = await insist(
    async () => (await rest.get(active, { signal })) as RESTGetAPIGuildThreadsResult,
  )
  for (const thread of threads) {
    const last = ('last_message_id' in thread ? thread.last_message_id : null) ?? thread.id
    const tasks = book.tasksOf(destinationOf(settings), thread.id).map((id) => plane().task(id))
    const [newest] = tasks
    if (newest === undefined || isOver(addressee(newest, tasks))) continue
    const heard = heardIn(deps, thread.id)
    if (heard === null) {
      noteHeard(deps, newest.id, thread.id, last)
      continue
    }
    if (BigInt(last) <= BigInt(heard)) continue
    try {
      for await (const message of messagesAfter(rest, thread.id, heard, signal)) {
        if (message.author.bot === true) continue
        const roles = await rolesOf(message.author.id)
        yield { ...message, guild_id: settings.guild, member: { roles } }
      }
    } catch (error) {
      unread(thread.id, error)
    }
  }
}

/** The roles of members, which the REST interface does not tell with their messages; asked for once, where any counts. */
function asked(
  rest: REST,
  { guild, members }: DiscordSettings,
): (user: string) => Promise<readonly string[]> {
  const counts = Object.values(members).some(({ roles }) => roles.length > 0)
  const known = new Map<string, readonly string[]>()
  return async (user) => {
    if (!counts) return []
    const before = known.get(user)
    if (before !== undefined) return before
    const roles = await insist(
      async () => (await rest.get(Routes.guildMember(guild, user))) as APIGuildMember,
    )
      .then((member) => member.roles)
      .catch((error: unknown) => {
        // Who has left has none.
        if (error instanceof DiscordAPIError && error.status === 404) return []
        throw error
      })
    known.set(user, roles)
    return roles
  }
}
