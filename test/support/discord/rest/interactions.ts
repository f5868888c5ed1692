import { MessageFlags } from 'discord-api-types/v10'
import type { Hono } from 'hono'
import { compose, rewrite } from '../compose.ts'
import type { Interaction } from '../interaction.ts'
import { messageShown } from '../payloads.ts'
import { unknownInteraction, unknownMessage, unknownWebhook } from '../refusal.ts'
import { type Callback, callback, changedMessage, fit, type MessageBody, newMessage } from '../shapes.ts'
import type { Message, SentFile } from '../world.ts'
import { post, tellEdited } from './messages.ts'
import { bodyOf, type Env, param, type Wire } from './wire.ts'

export function interactionRoutes(app: Hono<Env>, wire: Wire): void {
  const { world } = wire

  /** Where a person sees it: in the channel, or alone. */
  const say = (
    interaction: Interaction,
    body: MessageBody,
    files: readonly SentFile[],
    ephemeral: boolean,
  ): Message => {
    const flags = ephemeral ? MessageFlags.Ephemeral : 0
    const message = compose(world, interaction.channel, world.bot, { ...body, flags }, files)
    interaction.messages.push(message)
    if (!ephemeral) post(wire, interaction.channel, message)
    return message
  }

  const answer = (interaction: Interaction, body: Callback, files: readonly SentFile[]): void => {
    switch (body.type) {
      case 4: {
        interaction.acknowledge('message', body.data.flags ?? 0)
        say(interaction, body.data, files, interaction.ephemeral)
        return
      }
      case 5:
        return interaction.acknowledge('deferred', body.data?.flags ?? 0)
      case 6:
        return interaction.acknowledge('deferred_update')
      case 7: {
        interaction.acknowledge('update')
        if (interaction.source === null) throw unknownInteraction()
        rewrite(world, interaction.source, body.data, files)
        return tellEdited(wire, interaction.source)
      }
      case 8:
        interaction.acknowledge('choices')
        interaction.choices = body.data.choices
        return
      case 9:
        interaction.acknowledge('modal')
        interaction.modal = body.data
    }
  }

  app.post('/interactions/:id/:token/callback', async (c) => {
    const interaction = wire.interactions.get(param(c, 'token'))
    if (interaction === undefined || interaction.id !== param(c, 'id')) throw unknownInteraction()
    const { json, files } = await bodyOf(c)
    answer(interaction, fit(callback, json), files)
    if (c.req.query('with_response') !== 'true') return c.body(null, 204)
    const message = interaction.messages[0]
    return c.json({
      interaction: { id: interaction.id, type: 2 },
      ...(message === undefined ? {} : { resource: { type: 4, message: messageShown(message, world) } }),
    })
  })

  const byToken = (token: string): Interaction => {
    const found = wire.interactions.get(token)
    if (found === undefined) throw unknownWebhook()
    found.follow()
    return found
  }
  /** `@original` is the first answer; of a press that was only taken note of, the message with the button. */
  const named = (interaction: Interaction, id: string): Message => {
    if (id !== '@original') {
      const found = interaction.messages.find((one) => one.id === id)
      if (found === undefined) throw unknownMessage()
      return found
    }
    const first = ['deferred_update', 'update'].includes(interaction.answer ?? '')
      ? interaction.source
      : interaction.messages[0]
    if (first === null || first === undefined) throw unknownMessage()
    return first
  }
  const at = '/webhooks/:application/:token'

  app.post(at, async (c) => {
    const interaction = byToken(param(c, 'token'))
    const { json, files } = await bodyOf(c)
    const body = fit(newMessage, json)
    // The first followup to a deferred answer is that answer.
    const isAnswer = interaction.answer === 'deferred' && interaction.messages.length === 0
    const ephemeral = isAnswer ? interaction.ephemeral : ((body.flags ?? 0) & MessageFlags.Ephemeral) !== 0
    return c.json(messageShown(say(interaction, body, files, ephemeral), world))
  })

  app.get(`${at}/messages/:message`, (c) =>
    c.json(messageShown(named(byToken(param(c, 'token')), param(c, 'message')), world)),
  )

  app.patch(`${at}/messages/:message`, async (c) => {
    const interaction = byToken(param(c, 'token'))
    const { json, files } = await bodyOf(c)
    const id = param(c, 'message')
    if (id === '@original' && interaction.answer === 'deferred' && interaction.messages.length === 0) {
      return c.json(
        messageShown(say(interaction, fit(newMessage, json), files, interaction.ephemeral), world),
      )
    }
    const message = named(interaction, id)
    rewrite(world, message, fit(changedMessage, json), files)
    if (((message.flags ?? 0) & MessageFlags.Ephemeral) === 0) tellEdited(wire, message)
    return c.json(messageShown(message, world))
  })

  app.delete(`${at}/messages/:message`, (c) => {
    const interaction = byToken(param(c, 'token'))
    const message = named(interaction, param(c, 'message'))
    interaction.messages.splice(interaction.messages.indexOf(message), 1)
    const { messages } = interaction.channel
    if (messages.includes(message)) messages.splice(messages.indexOf(message), 1)
    return c.body(null, 204)
  })
}
