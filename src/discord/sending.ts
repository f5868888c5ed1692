import { createHash } from 'node:crypto'
import {
  type APIMessage,
  DiscordAPIError,
  HTTPError,
  RateLimitError,
  type REST,
  RESTJSONErrorCodes,
  Routes,
} from 'discord.js'
import { messageOf, systemCodeOf } from '../domain/failure.ts'
import type { Outcome } from '../domain/outbox/destination.ts'
import { bodyOf, type Outgoing } from './messages/message.ts'

/** A message that is to be there once. */
export interface Once {
  readonly channel: string
  readonly message: Outgoing
  /** What names it for ever, such as the id of a letter. */
  readonly key: string
  /** The text of the footer that no other message of ours in this channel has. */
  readonly mark: string
  /** It may be there already, and Discord may have forgotten its nonce. */
  readonly mayBeThere: boolean
}

/** Discord knows a message by its nonce "in the past few minutes"; after this long one looks for it instead, ms. */
export const nonceMs = 60_000

/** Sends a message once, however often it is asked for: by a nonce, and where that may be forgotten by looking for it. */
export async function sendOnce(
  rest: REST,
  bot: string,
  { channel, message, key, mark, mayBeThere }: Once,
  signal: AbortSignal,
): Promise<string> {
  if (mayBeThere) {
    const there = await find(rest, bot, channel, mark, signal)
    if (there !== null) return there
  }
  const nonce = createHash('sha256').update(key).digest('base64url').slice(0, 24)
  const sent = (await rest.post(Routes.channelMessages(channel), {
    body: { ...bodyOf(message), nonce, enforce_nonce: true },
    files: (message.files ?? []).map(({ name, text }) => ({ name, data: Buffer.from(text) })),
    signal,
  })) as APIMessage
  return sent.id
}

/** Of the last hundred messages, the one of ours with this mark. */
async function find(
  rest: REST,
  bot: string,
  channel: string,
  mark: string,
  signal: AbortSignal,
): Promise<string | null> {
  const query = new URLSearchParams({ limit: '100' })
  const last = (await rest.get(Routes.channelMessages(channel), { query, signal })) as readonly APIMessage[]
  const found = last.find(({ author, embeds }) => author.id === bot && embeds[0]?.footer?.text === mark)
  return found?.id ?? null
}

export async function edit(
  rest: REST,
  channel: string,
  message: string,
  outgoing: Outgoing,
  signal?: AbortSignal,
): Promise<void> {
  await rest.patch(Routes.channelMessage(channel, message), {
    body: bodyOf(outgoing),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Whether what was to be edited or written into is gone. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.UnknownChannel || error.code === RESTJSONErrorCodes.UnknownMessage)
  )
}

/** Whether this is Discord's answer with that code. */
export function isCode(error: unknown, code: number): boolean {
  return error instanceof DiscordAPIError && error.code === code
}

/** What an error of Discord's means for a letter. */
export function outcomeOf(error: unknown): Outcome {
  const failed = (fault: 'passing' | 'refused', text: string, afterMs?: number): Outcome => ({
    kind: 'failed',
    fault,
    text,
    ...(afterMs === undefined ? {} : { afterMs }),
  })
  if (error instanceof RateLimitError)
    return failed('passing', 'Discord wants to be asked less often.', error.retryAfter)
  if (error instanceof HTTPError) return failed('passing', `Discord answered ${error.status}.`)
  if (error instanceof DiscordAPIError) {
    const said = `Discord answered ${error.status}, code ${error.code}: ${firstLine(error.message)}.`
    if (error.status === 401) return failed('passing', `${said} Put a good token in its place.`, 10 * 60_000)
    if (error.status === 403)
      return failed(
        'passing',
        `${said} Give the bot that right: \`cofferdam discord setup\` says which.`,
        60_000,
      )
    return failed(error.status >= 500 ? 'passing' : 'refused', said)
  }
  const why = systemCodeOf(error) === '' ? messageOf(error) : systemCodeOf(error)
  return failed('passing', `Discord could not be reached: ${why}.`)
}

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').replace(/\.$/, '')
