import {
  type APIMessage,
  type APIUser,
  MessageFlags,
  MessageType,
  PermissionFlagsBits,
} from 'discord-api-types/v10'
import { pingsOf } from './mentions.ts'
import { emptyMessage, missingPermissions, threadArchived } from './refusal.ts'
import type { MessageBody } from './shapes.ts'
import type { Channel, Message, SentFile, World } from './world.ts'

/** A message as the bot wrote it; not yet in a channel. */
export function compose(
  world: World,
  channel: Channel,
  author: APIUser,
  body: MessageBody,
  files: readonly SentFile[],
): Message {
  const content = body.content ?? ''
  if (
    content === '' &&
    (body.embeds?.length ?? 0) === 0 &&
    files.length === 0 &&
    (body.components?.length ?? 0) === 0
  )
    throw emptyMessage()
  const pings = pingsOf(content, body.allowed_mentions)
  return {
    id: world.id(),
    type: body.message_reference === undefined ? MessageType.Default : MessageType.Reply,
    channel_id: channel.id,
    author,
    content,
    timestamp: new Date(world.now()).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: pings.includes('everyone'),
    mentions: pings.flatMap((id) => world.members.get(id)?.user ?? []),
    mention_roles: pings.filter((id) => world.roles.some((role) => role.id === id)),
    attachments: shown(world, files),
    embeds: (body.embeds ?? []) as APIMessage['embeds'],
    components: (body.components ?? []) as unknown as NonNullable<APIMessage['components']>,
    pinned: false,
    ...(((body.flags ?? 0) & MessageFlags.Ephemeral) === 0 ? {} : { flags: MessageFlags.Ephemeral }),
    ...(body.nonce === undefined ? {} : { nonce: body.nonce }),
    reactions: [],
    pings,
    files,
    edits: 0,
  }
}

/** Changes what the body names, and nothing else. */
export function rewrite(
  world: World,
  message: Message,
  body: Partial<MessageBody>,
  files: readonly SentFile[],
): void {
  if (body.content !== undefined) message.content = body.content ?? ''
  if (body.embeds !== undefined) message.embeds = (body.embeds ?? []) as APIMessage['embeds']
  if (body.components !== undefined) {
    message.components = (body.components ?? []) as unknown as NonNullable<APIMessage['components']>
  }
  if (body.attachments !== undefined || files.length > 0) {
    const kept = new Set((body.attachments ?? message.attachments).map(({ id }) => String(id)))
    message.attachments = [...message.attachments.filter(({ id }) => kept.has(id)), ...shown(world, files)]
    message.files = [...message.files, ...files]
  }
  message.edited_timestamp = new Date(world.now()).toISOString()
  message.edits += 1
}

/** Refuses what the bot may not do in a channel. Writing into an archived thread opens it again, unless it is locked. */
export function mayWrite(world: World, channel: Channel, withFiles: boolean): void {
  const bit =
    channel.parent === null ? PermissionFlagsBits.SendMessages : PermissionFlagsBits.SendMessagesInThreads
  if (world.botLacks(channel, bit)) throw missingPermissions()
  if (withFiles && world.botLacks(channel, PermissionFlagsBits.AttachFiles)) throw missingPermissions()
  if (channel.archived && channel.locked) throw threadArchived()
}

function shown(world: World, files: readonly SentFile[]): APIMessage['attachments'] {
  return files.map(({ name, bytes }) => ({
    id: world.id(),
    filename: name,
    size: bytes.length,
    url: `https://cdn.example/${name}`,
    proxy_url: `https://cdn.example/${name}`,
  }))
}
