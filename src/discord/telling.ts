import type { REST } from 'discord.js'
import type { Caller } from '../domain/caller.ts'
import type { ControlPlane } from '../domain/control-plane.ts'
import type { DiscordSettings } from '../domain/discord.ts'
import type { TaskId } from '../domain/ids.ts'
import type { MessageBook } from '../domain/outbox/messages.ts'

// What all those work with who tell Discord of tasks.

/** What of the control plane a message is made from. */
export type Told = Pick<ControlPlane, 'task' | 'checkpoints' | 'decisions' | 'diff'>

export interface TellingDeps {
  readonly settings: DiscordSettings
  readonly book: MessageBook
  /** Opened after the destination is known; asked when something is to be sent. */
  readonly plane: () => Told
  readonly rest: () => REST
}

/** The name under which letters wait and messages are kept. */
export const destinationOf = ({ guild }: Pick<DiscordSettings, 'guild'>): string => `discord:${guild}`

/** Sees what is offered, whoever may press it: the buttons are for those who may. */
export const onlooker: Caller = { actor: { kind: 'system', id: 'discord' }, role: 'owner' }

/** What stands in the footer of a message, and of no other in its channel. */
export const markOf = (id: TaskId, kind: string): string => `${id} · ${kind.replace(':', ' ')}`
