import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  GatewayDispatchEvents,
  InteractionType,
  Locale,
  MessageFlags,
  MessageReferenceType,
} from 'discord-api-types/v10'
import { compose } from './compose.ts'
import type { Limits } from './clock.ts'
import { Interaction } from './interaction.ts'
import { channelShown, memberShown, messageShown } from './payloads.ts'
import { post } from './rest/messages.ts'
import type { Wire } from './rest/wire.ts'
import type { ModalBody } from './shapes.ts'
import type { Channel, Member, Message } from './world.ts'

export type OptionValue = string | number | boolean

const types: Readonly<Record<number, string>> = {
  [ApplicationCommandOptionType.String]: 'string',
  [ApplicationCommandOptionType.Integer]: 'number',
  [ApplicationCommandOptionType.Number]: 'number',
  [ApplicationCommandOptionType.Boolean]: 'boolean',
}

/** Somebody in the guild, and what they can do with their client. */
export class Person {
  readonly member: Member
  readonly #wire: Wire
  readonly #limits: Limits

  constructor(member: Member, wire: Wire, limits: Limits) {
    this.member = member
    this.#wire = wire
    this.#limits = limits
  }

  get id(): string {
    return this.member.user.id
  }

  /** Writes a message. */
  type(channel: Channel, content: string, replyTo?: Message): Message {
    const reply = replyTo === undefined ? {} : { message_reference: { message_id: replyTo.id } }
    const message = compose(this.#wire.world, channel, this.member.user, { content, ...reply }, [])
    if (replyTo !== undefined) {
      message.message_reference = {
        message_id: replyTo.id,
        channel_id: channel.id,
        type: MessageReferenceType.Default,
      }
    }
    post(this.#wire, channel, message)
    return message
  }

  /** Enters a command, and waits for its answer. */
  async slash(
    channel: Channel,
    name: string,
    options: Readonly<Record<string, OptionValue>> = {},
  ): Promise<Interaction> {
    return this.begin(channel, name, options).settled()
  }

  /** The same without waiting. */
  begin(channel: Channel, name: string, options: Readonly<Record<string, OptionValue>> = {}): Interaction {
    return this.#dispatch(
      channel,
      null,
      InteractionType.ApplicationCommand,
      this.#command(name, options, null),
    )
  }

  /** What is offered while they type the value of an option. */
  async complete(
    channel: Channel,
    name: string,
    focused: string,
    typed: string,
    options: Readonly<Record<string, OptionValue>> = {},
  ): Promise<readonly string[]> {
    const data = this.#command(name, { ...options, [focused]: typed }, focused)
    const asked = this.#dispatch(channel, null, InteractionType.ApplicationCommandAutocomplete, data)
    return ((await asked.settled()).choices ?? []).map(({ value }) => String(value))
  }

  /** Presses a button by what is written on it, or by its `custom_id` where that is gone from the message. */
  async press(channel: Channel, message: Message, label: string): Promise<Interaction> {
    return this.beginPress(channel, message, label).settled()
  }

  beginPress(channel: Channel, message: Message, label: string): Interaction {
    return this.pressId(channel, message, buttonOf(message, label))
  }

  /** A client that has not seen the last edit still sends the button that it shows. */
  pressId(channel: Channel, message: Message, customId: string): Interaction {
    return this.#dispatch(channel, message, InteractionType.MessageComponent, {
      custom_id: customId,
      component_type: ComponentType.Button,
    })
  }

  /** Fills in the modal that an interaction has shown. */
  async submit(shown: Interaction, values: Readonly<Record<string, string>>): Promise<Interaction> {
    if (shown.modal === null) throw new Error('no modal was shown')
    const data = { custom_id: shown.modal.custom_id, components: filled(shown.modal, values) }
    return this.#dispatch(shown.channel, shown.source, InteractionType.ModalSubmit, data).settled()
  }

  #command(name: string, options: Readonly<Record<string, OptionValue>>, focused: string | null): object {
    const command = this.#wire.commands.all.find((one) => one.name === name)
    if (command === undefined) throw new Error(`there is no command /${name}`)
    for (const { name: wanted, required } of command.options ?? []) {
      if (required === true && focused === null && !(wanted in options))
        throw new Error(`/${name} needs ${wanted}`)
    }
    const given = Object.entries(options).map(([key, value]) => {
      const option = command.options?.find((one) => one.name === key)
      if (option === undefined) throw new Error(`/${name} has no option ${key}`)
      if (types[option.type] !== typeof value)
        throw new Error(`${key} of /${name} is a ${types[option.type]}`)
      return { name: key, type: option.type, value, ...(key === focused ? { focused: true } : {}) }
    })
    return {
      id: command.id,
      name,
      type: ApplicationCommandType.ChatInput,
      options: given,
      guild_id: this.#wire.world.guildId,
    }
  }

  #dispatch(channel: Channel, source: Message | null, type: InteractionType, data: object): Interaction {
    const { world, gateway, interactions } = this.#wire
    const init = { id: world.id(), token: `token-${world.id()}`, channel, source }
    const interaction = new Interaction(init, this.#limits, world.now)
    interactions.set(interaction.token, interaction)
    const ephemeral = source !== null && ((source.flags ?? 0) & MessageFlags.Ephemeral) !== 0
    gateway.dispatch(GatewayDispatchEvents.InteractionCreate, {
      id: interaction.id,
      application_id: world.applicationId,
      type,
      token: interaction.token,
      version: 1,
      guild_id: world.guildId,
      guild: { id: world.guildId, locale: Locale.EnglishUS, features: [] },
      channel_id: channel.id,
      channel: channelShown(channel, world),
      member: { ...memberShown(this.member), permissions: world.roles[0]?.permissions ?? '0' },
      locale: Locale.EnglishUS,
      guild_locale: Locale.EnglishUS,
      app_permissions: '0',
      entitlements: [],
      authorizing_integration_owners: {},
      attachment_size_limit: 10 * 1024 * 1024,
      context: 0,
      data,
      ...(source === null
        ? {}
        : { message: { ...messageShown(source, world), ...(ephemeral ? { flags: 64 } : {}) } }),
    })
    return interaction
  }
}

/** The `custom_id` of a button; an error where it is not there or cannot be pressed. */
export function buttonOf(message: Message, label: string): string {
  for (const row of message.components ?? []) {
    if (row.type !== ComponentType.ActionRow) continue
    for (const one of row.components) {
      if (one.type !== ComponentType.Button || !('custom_id' in one) || one.label !== label) continue
      if (one.disabled === true) throw new Error(`the button ${label} is disabled`)
      return one.custom_id
    }
  }
  throw new Error(`the message has no button ${label}`)
}

function filled({ components }: ModalBody, values: Readonly<Record<string, string>>): readonly object[] {
  const field = (id: string, required: boolean | undefined) => {
    const value = values[id] ?? ''
    if (value === '' && required !== false) throw new Error(`the field ${id} must be filled in`)
    return { type: ComponentType.TextInput, custom_id: id, value }
  }
  return components.map((row) =>
    row.type === 18
      ? { type: row.type, component: field(row.component.custom_id, row.component.required) }
      : { type: row.type, components: row.components.map((one) => field(one.custom_id, one.required)) },
  )
}
