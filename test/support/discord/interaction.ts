import { setTimeout as sleep } from 'node:timers/promises'
import { ComponentType, MessageFlags } from 'discord-api-types/v10'
import type { Limits } from './clock.ts'
import { alreadyAcknowledged, unknownInteraction, unknownWebhook } from './refusal.ts'
import type { Choice, ModalBody } from './shapes.ts'
import type { Channel, Message } from './world.ts'

export type Answer = 'message' | 'deferred' | 'deferred_update' | 'update' | 'choices' | 'modal'

/** What somebody did that the bot has to answer, and what they saw of it. */
export class Interaction {
  readonly id: string
  readonly token: string
  readonly channel: Channel
  /** The message whose button was pressed. */
  readonly source: Message | null
  readonly startedAt: number
  answer: Answer | null = null
  ephemeral = false
  modal: ModalBody | null = null
  choices: readonly Choice[] | null = null
  /** The first answer and what followed it. */
  readonly messages: Message[] = []
  /** Answers that came too late or twice. */
  refused = 0
  readonly #limits: Limits
  readonly #now: () => number

  constructor(
    init: Pick<Interaction, 'id' | 'token' | 'channel' | 'source'>,
    limits: Limits,
    now: () => number,
  ) {
    this.id = init.id
    this.token = init.token
    this.channel = init.channel
    this.source = init.source
    this.#limits = limits
    this.#now = now
    this.startedAt = now()
  }

  /** Called with the first answer; refuses a second, and a late one. */
  acknowledge(answer: Answer, flags = 0): void {
    if (this.answer !== null) {
      this.refused += 1
      throw alreadyAcknowledged()
    }
    if (this.#now() - this.startedAt > this.#limits.answer) {
      this.refused += 1
      throw unknownInteraction()
    }
    this.answer = answer
    this.ephemeral = (flags & MessageFlags.Ephemeral) !== 0
  }

  /** Called with every later one. */
  follow(): void {
    if (this.answer === null) throw unknownWebhook()
    if (this.#now() - this.startedAt > this.#limits.token) throw unknownWebhook()
  }

  /** The text of its messages, as the person read them. */
  get text(): string {
    return this.messages.map(textOf).join('\n')
  }

  /** The first answer once it is no longer "thinking…". Rejects where none comes in ten seconds. */
  async settled(): Promise<this> {
    const done = (): boolean =>
      this.messages.length > 0 ||
      ['modal', 'choices', 'update', 'deferred_update'].includes(this.answer ?? '')
    for (const end = Date.now() + 10_000; !done(); await sleep(5)) {
      if (Date.now() > end)
        throw new Error(`interaction ${this.id} was not answered: ${this.answer ?? 'not at all'}`)
    }
    return this
  }
}

/** All that a person reads in a message. */
export function textOf({
  content,
  embeds,
  components,
}: Pick<Message, 'content' | 'embeds' | 'components'>): string {
  const parts = [content]
  for (const { title, description, fields, footer } of embeds) {
    parts.push(
      title ?? '',
      description ?? '',
      ...(fields ?? []).flatMap(({ name, value }) => [name, value]),
      footer?.text ?? '',
    )
  }
  for (const row of components ?? []) {
    if (row.type !== ComponentType.ActionRow) continue
    for (const one of row.components)
      if ('label' in one && one.label !== undefined) parts.push(`[${one.label}]`)
  }
  return parts.filter((part) => part !== '').join('\n')
}
