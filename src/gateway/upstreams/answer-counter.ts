import { StringDecoder } from 'node:string_decoder'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { JsonReader } from '../json.ts'
import type { Tokens } from '../prices.ts'
import type { Counter } from './upstream.ts'

/** Events larger than this hold no usage: it stands in small ones, or in one that repeats a whole answer. */
const eventLimit = 8 * 1024 * 1024
/** Bytes of output for each token, on the safe side: code has fewer than prose. */
const bytesPerToken = 3
/** No call takes as many: a number above it is none. */
const most = 1e9

export type Body = Readonly<Record<string, unknown>>

/** The counts of an answer as the API names them, and how far it has come. */
export class Tally {
  private readonly counts = new Map<string, number>()
  private readonly tells: readonly string[]
  isReported = false
  isComplete = false
  outputBytes = 0

  constructor(tells: readonly string[]) {
    this.tells = tells
  }

  /** What is reported more than once counts once, and the most of it: what was charged is never given back. */
  report(name: string, value: unknown): void {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) return
    this.counts.set(name, Math.max(this.of(name), value))
    if (this.tells.includes(name)) this.isReported = true
  }

  /** The numbers of an object, and those one level below it, as `outer.inner`. */
  reportAll(usage: unknown): void {
    if (!isBody(usage)) return
    for (const [name, value] of Object.entries(usage)) {
      this.report(name, value)
      if (isBody(value))
        for (const [inner, each] of Object.entries(value)) this.report(`${name}.${inner}`, each)
    }
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0
  }

  said(...texts: readonly unknown[]): void {
    for (const text of texts) if (typeof text === 'string') this.outputBytes += Buffer.byteLength(text)
  }
}

/** How the answers of one API are read. */
export interface AnswerReader {
  /** The key of a document under which the usage is. */
  readonly usageKey: string
  /** Usage without any of these counts as none. */
  readonly tells: readonly string[]
  /** A list of documents is read as one. */
  readonly isList?: boolean
  event(data: Body, tally: Tally): void
  /** What ends a stream and is no JSON. */
  readonly last?: string
  tokens(tally: Tally): Tokens
}

/** Counts an answer that is one JSON document, or a stream of events. */
export function answerCounter(reader: AnswerReader): Counter {
  const tally = new Tally(reader.tells)
  let broken = false
  /** A document's usage counts when all of it is there: its parts are not to be had without each other. */
  let isWhole = false
  const document = new JsonReader((whole, value) => {
    const path = reader.isList === true && whole[0] === '*' ? whole.slice(1) : whole
    const [first, ...inner] = path
    if (first !== reader.usageKey) {
      if (path.length === 1 && tally.isReported) isWhole = true
      return
    }
    if (inner.length > 0 && inner.length < 3) tally.report(inner.join('.'), value)
  })
  const text = new StringDecoder('utf8')
  const events = createParser({
    onEvent: ({ data }: EventSourceMessage) => {
      if (data === reader.last) {
        tally.isComplete = true
        return
      }
      if (data.length > eventLimit) return
      const event: unknown = JSON.parse(data)
      if (isBody(event)) reader.event(event, tally)
      isWhole = true
    },
    maxBufferSize: 32 * 1024 * 1024,
  })
  return {
    see(chunk, type) {
      if (broken) return
      try {
        if (/^text\/event-stream\b/i.test(type)) events.feed(text.write(chunk))
        else {
          document.write(chunk)
          if (document.isOver) isWhole = tally.isComplete = true
        }
      } catch {
        // What cannot be read reports nothing more, and is charged as an answer that did not.
        broken = true
      }
    },
    get tokens() {
      return tally.isReported && isWhole ? reader.tokens(tally) : null
    },
    get complete() {
      return tally.isComplete && !broken
    },
    get seenOutput() {
      return Math.ceil(tally.outputBytes / bytesPerToken)
    },
  }
}

/**
 * Tokens of which those of the cache are a part of the input, and those of reasoning a part of the output. What only the
 * total has was paid for as well: some servers leave reasoning out of the output.
 */
export function tokensOf(counts: {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly total: number
}): Tokens {
  const { input, output, cacheRead, cacheWrite, total } = counts
  const anew = Math.max(0, input - cacheRead - cacheWrite)
  const unnamed = Math.max(0, total - Math.max(input, cacheRead + cacheWrite) - output)
  return { input: anew, output: output + unnamed, cacheRead, cacheWrite, cacheWriteHour: 0 }
}

export function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const bodies = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.filter(isBody) : [])
