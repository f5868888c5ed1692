import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type APIMessage,
  DiscordAPIError,
  HTTPError,
  type RateLimitData,
  RateLimitError,
  type REST,
  RESTJSONErrorCodes,
  Routes,
} from 'discord.js'
import { messageOf, systemCodeOf } from '../domain/failure.ts'
import type { Outcome } from '../domain/outbox/destination.ts'
import { makeRequest } from './form.ts'
import { bodyOf, type Outgoing } from './messages/message.ts'

/** What a request waits where Discord wants to be asked less often, ms: reactions, for one, may come four a second. */
const waitMs = 3000

/**
 * How requests are made: the outbox tries again by itself, in order and for days, so that a hung one must not be sent four
 * times meanwhile, nor one that may not be sent for long hold up what comes after it.
 */
export const patience = {
  retries: 0,
  timeout: 10_000,
  makeRequest,
  rejectOnRateLimit: ({ route, retryAfter }: RateLimitData) =>
    route.startsWith('/channels') && retryAfter > waitMs,
}

/** A message that is to be there once. */
export interface Once {
  readonly channel: string
  readonly message: Outgoing
  /** What names it for ever, such as the id of a letter. */
  readonly key: string
  /** The text of the footer that no other message of ours in this channel has. */
  readonly mark: string
  /** Since when it may be there although Discord has forgotten its nonce, epoch ms; null where it cannot. */
  readonly mayBeThereSince: number | null
}

/** Discord knows a message by its nonce "in the past few minutes"; after this long one looks for it instead, ms. */
export const nonceMs = 60_000

/** Sends a message once, however often it is asked for: by a nonce, and where that may be forgotten by looking for it. */
export async function sendOnce(
  rest: REST,
  botId: string,
  { channel, message, key, mark, mayBeThereSince }: Once,
  signal: AbortSignal,
): Promise<string> {
  if (mayBeThereSince !== null) {
    const there = await find(rest, botId, channel, { mark, since: mayBeThereSince }, signal)
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

/** Discord gives so many messages at once. */
const page = 100
const mostPages = 20
/** Its clock is another than ours, ms. */
const skewMs = 5 * 60_000
const discordEpoch = 1_420_070_400_000
const idAt = (time: number): string => String(BigInt(Math.max(0, time - discordEpoch)) << 22n)
/** When something was made over there, epoch ms by Discord's clock: its ids tell. */
export const madeAt = (id: string): number => Number(BigInt(id) >> 22n) + discordEpoch

/** The message of ours with this mark, of those that were written since then (epoch ms). */
export async function find(
  rest: REST,
  botId: string,
  channel: string,
  { mark, since }: { readonly mark: string; readonly since: number },
  signal: AbortSignal,
): Promise<string | null> {
  for await (const { id, author, embeds } of messagesAfter(rest, channel, idAt(since - skewMs), signal))
    if (author.id === botId && embeds[0]?.footer?.text === mark) return id
  return null
}

/** The messages of a channel after that id, oldest first; two thousand at most. */
export async function* messagesAfter(
  rest: REST,
  channel: string,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<APIMessage> {
  let last = after
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = new URLSearchParams({ limit: String(page), after: last })
    const some = await insist(
      async () =>
        (await rest.get(Routes.channelMessages(channel), { query, signal })) as readonly APIMessage[],
    )
    // As numbers: longer ones are later.
    const ordered = some.toSorted((one, other) => (BigInt(one.id) < BigInt(other.id) ? -1 : 1))
    yield* ordered
    if (some.length < page) return
    last = ordered.at(-1)?.id ?? last
  }
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

/** Asks again, twice at most, where Discord does not answer or fails: for what may be asked for twice, and is soon too late. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      const isSaid = error instanceof DiscordAPIError || error instanceof RateLimitError
      if (isSaid || tries === 3) throw error
      await sleep(tries * 500)
    }
  }
}

/** Whether what was to be edited or written into is gone. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.UnknownChannel || error.code === RESTJSONErrorCodes.UnknownMessage)
  )
}

/** The same, or whether it is another bot's: the token of another application took the place of ours. */
export function isOutOfReach(error: unknown): boolean {
  return isGone(error) || isCode(error, RESTJSONErrorCodes.CannotEditMessageAuthoredByAnotherUser)
}

const hourMs = 3_600_000
const minuteMs = 60_000

/**
 * How long no edit of this message alone is taken, ms; null where the error is about something else. Discord takes few edits
 * of messages older than an hour, and answers 429 with code 30046, of which the library tells the status alone.
 */
export function oldEditPauseMs(error: unknown, message: string, now: number): number | null {
  if (!isOld(message, now)) return null
  if (error instanceof RateLimitError) return Math.max(minuteMs, error.retryAfter)
  const code = RESTJSONErrorCodes.MaximumNumberOfEditsToMessagesOlderThanOneHourReached
  return isCode(error, code) ? minuteMs : null
}

/** Whether a message is so old that Discord takes few edits of it. */
export const isOld = (message: string, now: number): boolean => now - madeAt(message) >= hourMs

/** Whether it may be the files that are not taken: the bot lacks the right, or they are too large. */
export function refusesFiles(error: unknown): boolean {
  return (error instanceof DiscordAPIError || error instanceof HTTPError) && [403, 413].includes(error.status)
}

/** Whether a request took longer than there is time. */
export function isTooSlow(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** What Discord answers to who changes something in a thread that is archived: the library has no name for it. */
export const threadArchived = 50_083

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
