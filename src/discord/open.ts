import { type APIUser, type REST, Routes } from 'discord.js'
import type { AgentProgress } from '../domain/agent.ts'
import type { ControlPlane } from '../domain/control-plane.ts'
import type { DiscordState, DiscordSettings } from '../domain/discord.ts'
import type { Destination } from '../domain/outbox/destination.ts'
import type { TaskId } from '../domain/ids.ts'
import type { MessageBook } from '../domain/outbox/messages.ts'
import type { Task } from '../domain/task.ts'
import { Bot } from './bot.ts'
import { delivery } from './delivery.ts'
import { Doings } from './doings.ts'
import { Statuses } from './statuses.ts'

export interface DiscordDeps {
  readonly settings: DiscordSettings
  readonly book: MessageBook
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** Runs `act` after so many ms; the answer calls it off. */
  readonly later: (ms: number, act: () => void) => () => void
  readonly log: (
    level: 'info' | 'warn' | 'error',
    text: string,
    more: Readonly<Record<string, unknown>>,
  ) => void
  /** Begins to tell of all that this process does; the answer ends it. */
  readonly subscribe: (onlooker: Onlooker) => () => void
  /** Another address than Discord's own, for tests. */
  readonly api?: string
}

/** Hears of what happens to tasks as it happens; must not block. */
export interface Onlooker {
  changed(task: Task): void
  output(id: TaskId, output: { readonly progress?: readonly AgentProgress[] }): void
}

/** The front end on Discord: somebody who is told by the outbox, and a bot that people talk to. */
export interface Discord extends AsyncDisposable {
  readonly destination: Destination
  /** Null where it only tells. */
  readonly connection: () => DiscordState | null
  /** Begins to tell of tasks, and to talk with people where it `connects`; what is done there goes through `plane`. */
  start(plane: ControlPlane, connects: boolean): void
}

/**
 * What may stand in a log of an error of Discord's: its address holds the token of an interaction, and its body what was
 * said in private.
 */
function tellable(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  const { code, status, method } = Object.fromEntries(Object.entries(error)) as Readonly<
    Record<string, unknown>
  >
  return { name, message, code, status, method, stack }
}

export function openDiscord(deps: DiscordDeps): Discord {
  let opened: ControlPlane | null = null
  const plane = (): ControlPlane => {
    if (opened === null) throw new Error('Discord was not started')
    return opened
  }
  const report = (error: unknown, more: Readonly<Record<string, unknown>>): void =>
    deps.log('error', 'something that was done on Discord failed', { ...more, error: tellable(error) })
  const bot = new Bot({ ...deps, plane, report })
  const rest = (): REST => bot.rest
  const doings = new Doings()
  const log = (text: string, more: Readonly<Record<string, unknown>>): void => deps.log('warn', text, more)
  const statuses = new Statuses({ ...deps, plane, rest, doings, log })
  const unsubscribe = deps.subscribe({
    changed: (task) => doings.changed(task),
    output(id, { progress = [] }) {
      if (progress.length === 0) return
      doings.add(id, progress)
      statuses.progressed(id)
    },
  })
  let connected = false
  let self: string | null = null
  const botId = async (): Promise<string> => (self ??= ((await rest().get(Routes.user('@me'))) as APIUser).id)
  const touched = (id: Parameters<Statuses['touch']>[0]): void => statuses.touch(id)
  return {
    destination: delivery({ ...deps, plane, rest, botId, touched }),
    connection: () => (connected ? bot.connection : null),
    start(started, connects) {
      opened = started
      connected = connects
      statuses.start()
      if (connects) bot.start()
    },
    async [Symbol.asyncDispose]() {
      unsubscribe()
      await statuses.close()
      await bot.close()
    },
  }
}
