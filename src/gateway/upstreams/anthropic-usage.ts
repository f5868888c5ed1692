import { StringDecoder } from 'node:string_decoder'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { JsonReader } from '../json.ts'
import { noTokens, type Tokens } from '../prices.ts'
import type { Counter } from './upstream.ts'

/** Events larger than this hold no usage. */
const eventLimit = 256 * 1024
/** Bytes of output for each token, on the safe side: code has fewer than prose. */
const bytesPerToken = 3

/** Counts an answer of the Messages API: one JSON document, or a stream of events whose counts only grow. */
export function messagesCounter(): Counter {
  let usage: Tokens | null = null
  let complete = false
  let outputBytes = 0
  let broken = false
  const put = (key: string, value: unknown): void => {
    const name = fields[key]
    if (name === undefined || typeof value !== 'number' || !Number.isFinite(value) || value < 0) return
    const before = usage ?? noTokens
    usage = { ...before, [name]: Math.max(before[name], value) }
  }
  const putAll = (reported: unknown): void => {
    if (!isRecord(reported)) return
    for (const [key, value] of Object.entries(reported)) put(key, value)
    if (isRecord(reported['cache_creation']))
      for (const [key, value] of Object.entries(reported['cache_creation'])) put(key, value)
  }

  const document = new JsonReader((path, value) => {
    if (path[0] === 'usage' && (path.length === 2 || (path.length === 3 && path[1] === 'cache_creation')))
      put(path.at(-1) ?? '', value)
    if (path.length === 1 && path[0] === 'stop_reason') complete = true
  })

  const text = new StringDecoder('utf8')
  const events = createParser({
    onEvent: ({ data }: EventSourceMessage) => {
      if (data.length > eventLimit) return
      const event: unknown = JSON.parse(data)
      if (!isRecord(event)) return
      if (event['type'] === 'message_start' && isRecord(event['message'])) putAll(event['message']['usage'])
      if (event['type'] === 'message_delta') putAll(event['usage'])
      if (event['type'] === 'message_stop') complete = true
      if (event['type'] === 'content_block_delta' && isRecord(event['delta']))
        outputBytes += lengthOf(event['delta'])
    },
    maxBufferSize: 32 * 1024 * 1024,
  })

  return {
    see(chunk, type) {
      if (broken) return
      try {
        if (type.startsWith('text/event-stream')) events.feed(text.write(chunk))
        else document.write(chunk)
      } catch {
        // What cannot be read reports nothing, and is charged as an answer that did not.
        broken = true
      }
    },
    get tokens() {
      return usage === null ? null : withoutTwice(usage)
    },
    get complete() {
      return complete && !broken
    },
    get seenOutput() {
      return Math.ceil(outputBytes / bytesPerToken)
    },
  }
}

const fields: Readonly<Record<string, keyof Tokens>> = {
  input_tokens: 'input',
  output_tokens: 'output',
  cache_read_input_tokens: 'cacheRead',
  cache_creation_input_tokens: 'cacheWrite',
  ephemeral_1h_input_tokens: 'cacheWriteHour',
}

/** What is kept for an hour is a part of what was written to the cache. */
function withoutTwice(tokens: Tokens): Tokens {
  return { ...tokens, cacheWrite: Math.max(0, tokens.cacheWrite - tokens.cacheWriteHour) }
}

/** Bytes of what the model said in a delta: text, thinking, or the input of a tool. */
function lengthOf(delta: Readonly<Record<string, unknown>>): number {
  return ['text', 'thinking', 'partial_json']
    .map((key) => delta[key])
    .reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
