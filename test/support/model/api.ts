import type { Call } from './tools.ts'
import type { Conversation, Fault, Told } from './script.ts'

/** What the model answers, ready to be put into an API's words. */
export interface Said {
  readonly conversation: Conversation
  /** Counts the calls that the server had: makes ids. */
  readonly n: number
  readonly texts: readonly string[]
  readonly calls: readonly Call[]
  readonly told: Told
  readonly isMalformed: boolean
}

/** An event of a stream: `name` is left out where the API names none; `data` is sent as it is where it is text. */
export interface StreamEvent {
  readonly name?: string
  readonly data: object | string
}

export interface ErrorAnswer {
  readonly status: number
  readonly body: object
}

export type ErrorKind = Extract<
  Fault['kind'],
  'rate limit' | 'overload' | 'server error' | 'auth' | 'context'
>

/** One API: its shapes are those of the provider's reference and of the types of its SDK. */
export interface Api {
  readonly name: Conversation['api']
  /** Of the path without query. */
  readonly path: RegExp
  read(body: Body, path: string, query: URLSearchParams): Conversation
  document(said: Said): object
  events(said: Said): readonly StreamEvent[]
  error(kind: ErrorKind): ErrorAnswer
}

export type Body = Readonly<Record<string, unknown>>

export const isBody = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const bodies = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.filter(isBody) : [])

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** All text in a content, which is a text or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return bodies(content)
    .map((part) => text(part['text']) || textOf(part['content']))
    .join('\n')
}

/** A text in pieces, as a stream brings it. */
export const pieces = (whole: string): readonly string[] => whole.match(/.{1,16}/gsu) ?? ['']

/** The arguments of a call as JSON; cut where it is to be malformed. */
export function argumentsOf({ input }: Call, isMalformed: boolean): string {
  const json = typeof input === 'string' ? input : JSON.stringify(input)
  return isMalformed ? json.slice(0, Math.max(1, json.length - 3)) : json
}

export const id = (prefix: string, n: number, at = 0): string =>
  `${prefix}${String(n).padStart(6, '0')}${String(at).padStart(2, '0')}`
