import {
  type AutocompleteInteraction,
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  ComponentType,
  DiscordAPIError,
  type Interaction,
  MessageFlags,
  type ModalSubmitInteraction,
  type RepliableInteraction,
  RESTJSONErrorCodes,
  TextInputStyle,
} from 'discord.js'
import type { Caller } from '../domain/caller.ts'
import { parseDecisionId } from '../domain/decision.ts'
import type { TaskId } from '../domain/ids.ts'
import { Failure } from '../domain/failure.ts'
import { completions } from './commands/complete.ts'
import { done, handlers, readOnly, type Reply } from './commands/handlers.ts'
import type { CommandDeps, Typed } from './commands/typed.ts'
import { callerOf, stranger } from './members.ts'
import { respelled } from './respelled.ts'
import { Seen } from './seen.ts'
import { insist, isCode } from './sending.ts'
import { cut, most } from './text.ts'

export interface InteractionsDeps extends CommandDeps {
  /** Of what is no `Failure`: a bug, or Discord. */
  readonly report: (error: unknown, more: Readonly<Record<string, unknown>>) => void
}

type Asked = ChatInputCommandInteraction | ButtonInteraction | ModalSubmitInteraction

/**
 * Answers whatever somebody did, by what it says of itself: nothing is remembered, so what was posted before a restart works
 * after it. Discord waits three seconds, so that it is taken note of comes first, and what it does after.
 */
export function interactions(deps: InteractionsDeps): (interaction: Interaction) => Promise<void> {
  const seen = new Seen()
  return async (interaction) => {
    if (seen.before(interaction.id)) return
    try {
      if (interaction.isAutocomplete()) await complete(deps, interaction)
      else if (interaction.isChatInputCommand())
        await answer(deps, interaction, `/${interaction.commandName}`, runCommand)
      else if (interaction.isButton()) await press(deps, interaction)
      else if (interaction.isModalSubmit()) await answer(deps, interaction, 'suggest', suggest)
    } catch (error) {
      deps.report(error, { interaction: interaction.id })
    }
  }
}

function whoIs({ settings }: InteractionsDeps, { user, member, guildId }: Interaction): Caller | null {
  if (guildId !== settings.guild) return null
  const given = member?.roles ?? []
  return callerOf(user.id, Array.isArray(given) ? given : [...given.cache.keys()], settings)
}

async function complete(deps: InteractionsDeps, interaction: AutocompleteInteraction): Promise<void> {
  const { name, value } = interaction.options.getFocused(true)
  const known = whoIs(deps, interaction) !== null
  await interaction.respond(known ? [...completions(deps.plane(), interaction.commandName, name, value)] : [])
}

/** Takes note of it, finds out who it is, does it, and says what came of it, to them alone. */
async function answer<T extends Asked>(
  deps: InteractionsDeps,
  interaction: T,
  action: string,
  work: (deps: InteractionsDeps, interaction: T, caller: Caller) => Promise<Reply>,
): Promise<void> {
  await takeNote(interaction)
  const caller = whoIs(deps, interaction)
  const task = taskIn(interaction)
  const record = (outcome: 'allowed' | 'refused' | 'failed', text: string): void => {
    if (readOnly.has(action.slice(1)) && outcome === 'allowed') return
    const actor = { kind: 'discord', id: interaction.user.id } as const
    try {
      deps.plane().access.record({
        actor,
        action: `discord ${action}`,
        taskId: task,
        outcome,
        text: text.slice(0, 500),
        requestId: interaction.id,
      })
    } catch (error) {
      // What was done is done, and whoever asked for it has to be told so.
      deps.report(error, { interaction: interaction.id })
    }
  }
  const does = async (): Promise<Reply> => {
    try {
      if (caller === null) throw new Failure('not_allowed', stranger)
      const reply = await work(deps, interaction, caller)
      record('allowed', '')
      return reply
    } catch (error) {
      const isOurs = error instanceof Failure
      const text = isOurs
        ? error.message
        : 'That went wrong inside Cofferdam; its log says more. Nothing may have happened: look at the task.'
      record(isOurs ? 'refused' : 'failed', text)
      if (!isOurs) deps.report(error, { interaction: interaction.id })
      return { text: respelled(text) }
    }
  }
  await respond(interaction, await does())
}

/** Once more where it is not known whether it has arrived: who waits sees nothing of it, and there are three seconds. */
async function takeNote(interaction: RepliableInteraction): Promise<void> {
  const note = async (): Promise<unknown> => interaction.deferReply({ flags: MessageFlags.Ephemeral })
  try {
    await note()
  } catch (error) {
    if (error instanceof DiscordAPIError) throw error
    try {
      await note()
    } catch (again) {
      if (!isCode(again, RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged)) throw again
      interaction.deferred = true
    }
  }
}

async function runCommand(
  deps: InteractionsDeps,
  interaction: ChatInputCommandInteraction,
  caller: Caller,
): Promise<Reply> {
  const handler = handlers[interaction.commandName]
  if (handler === undefined)
    throw new Failure(
      'not_found',
      `There is no command /${interaction.commandName} any more: restart your client.`,
    )
  const { options } = interaction
  const typed: Typed = {
    text: (name) => options.getString(name),
    number: (name) => (options.get(name)?.value as number | undefined) ?? null,
    yes: (name) => options.getBoolean(name),
  }
  return handler(deps, { caller, typed, key: `discord:${interaction.id}` })
}

async function press(deps: InteractionsDeps, interaction: ButtonInteraction): Promise<void> {
  const { customId } = interaction
  const pressed = parseDecisionId(customId)
  // A form can only be the first answer; where the button is good no more, or theirs not to press, they are told so at once.
  if (pressed?.action === 'suggest' && isOffered(deps, interaction, pressed.taskId)) {
    await interaction.showModal({
      custom_id: customId,
      title: 'Suggest',
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            {
              type: ComponentType.TextInput,
              custom_id: 'text',
              style: TextInputStyle.Paragraph,
              label: 'What should be different?',
              max_length: 4000,
              required: true,
            },
          ],
        },
      ],
    })
    return
  }
  await answer(deps, interaction, pressed?.action ?? 'button', async (_, __, caller) => {
    if (pressed === null)
      throw new Failure('not_found', 'That button is of an older version: look at the newest message.')
    return done(await deps.plane().decide(pressed.taskId, customId, null, caller))
  })
}

async function suggest(
  deps: InteractionsDeps,
  interaction: ModalSubmitInteraction,
  caller: Caller,
): Promise<Reply> {
  const pressed = parseDecisionId(interaction.customId)
  if (pressed === null)
    throw new Failure('not_found', 'That form is of an older version: press the button again.')
  const text = interaction.fields.getTextInputValue('text')
  return done(await deps.plane().decide(pressed.taskId, interaction.customId, text, caller))
}

/** Whether a button is offered to whoever has pressed it. */
function isOffered(deps: InteractionsDeps, interaction: ButtonInteraction, task: TaskId): boolean {
  const caller = whoIs(deps, interaction)
  if (caller === null) return false
  try {
    const { offer } = deps.plane().decisions(task, caller)
    return offer !== null && !offer.expired && offer.choices.some(({ id }) => id === interaction.customId)
  } catch {
    // It is said why when it is answered.
    return false
  }
}

/** The task that it names, where it names one. */
function taskIn(interaction: Asked): string | null {
  if (interaction.isChatInputCommand()) return interaction.options.getString('task')
  return parseDecisionId(interaction.customId)?.taskId ?? null
}

/** To edit an answer a second time does no harm, so it is tried again where Discord fails. */
async function respond(interaction: RepliableInteraction, { text, embeds, files }: Reply): Promise<void> {
  const answer = {
    content: cut(text ?? '', most.content),
    embeds: [...(embeds ?? [])],
    files: (files ?? []).map(({ name, text: attachment }) => ({ name, attachment: Buffer.from(attachment) })),
    allowedMentions: { parse: [] },
  }
  await insist(() => interaction.editReply(answer))
}
