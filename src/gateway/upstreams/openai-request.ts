import { Findings } from './request-reader.ts'
import type { Inspection } from './upstream.ts'
import { withoutUsageChunk } from './usage-chunk.ts'

type Visit = Inspection['visit']

/** Tools that the box itself runs, or that are only looked up. Every other type runs at the provider. */
const boxTools = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'namespace', 'tool_search'])
/** At these the list prices hold, or less. */
const listPriced = new Set<unknown>([null, 'auto', 'default', 'flex'])
/** Models that search the network by themselves. */
const searching = /-search(?:-|$)|deep-research|:online$/
/** With these, other servers that speak the same API search the network. */
const searches = new Set([
  'plugins',
  'search_parameters',
  'enable_search',
  'web_search',
  'web_search_options',
])
/** What is kept at the provider, and what of it is taken up again: another task of the same account may have left it. */
const kept = new Set(['previous_response_id', 'conversation', 'prompt'])
const single = new Set([
  'model',
  'tools',
  'stream',
  'stream_options',
  'store',
  'background',
  'service_tier',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'modalities',
  'web_search_options',
])

/** What both APIs have at their top. */
function visitTop(found: Findings, path: readonly string[], value: Parameters<Visit>[1]): void {
  const [key, ...inner] = path
  if (key === undefined) {
    if (value !== undefined) found.object('The request is no JSON object.')
    return
  }
  if (inner.length === 0 && single.has(key)) found.once(key)
  if (inner.length === 0 && key === 'model') {
    if (typeof value !== 'string') return found.object('"model" is no text.')
    found.model = value
    if (searching.test(value)) found.closed(`The model "${value}"`)
  }
  if (inner.length === 0 && key === 'stream') found.isStream = value === true
  if (inner.length === 0 && searches.has(key) && value !== null && value !== false) found.closed(`"${key}"`)
  if (key === 'service_tier' && !listPriced.has(value))
    found.object('This "service_tier" has no list price here. Leave it out.')
  if (key === 'store' && value !== false && value !== null)
    found.object('"store" is not allowed: nothing of a box is kept at the provider. Leave it out.')
}

/** Looks at a request of the Responses API. What the provider would keep by itself is told not to be kept. */
export function responsesInspection(): Inspection {
  const found = new Findings()
  return {
    visit(path, value) {
      visitTop(found, path, value)
      const [key = ''] = path
      if (path.length === 1 && key === 'max_output_tokens') found.number(key, value)
      if (kept.has(key) && path.length === 1 && value !== null)
        found.object(`"${key}" is not allowed: nothing is kept at the provider. Send the whole conversation.`)
      if (key === 'background' && value !== false && value !== null)
        found.object('"background" is not allowed: its answer could not be counted. Leave it out.')
      if (
        (key === 'tools' || key === 'input') &&
        path.at(-1) === 'type' &&
        path.at(-2) === '*' &&
        path.at(-3) === 'tools'
      )
        if (!(typeof value === 'string' && boxTools.has(value)))
          found.closed(`The tool type "${String(value)}"`)
      if (key !== 'input') return
      if (path.length === 3 && path[2] === 'type' && value === 'item_reference')
        found.object('"item_reference" is not allowed: nothing is kept at the provider. Send the whole item.')
      const last = path.at(-1) ?? ''
      if (last === 'image_url') found.source(value)
      if (/^file_(?:url|id)$/.test(last) && value !== null) found.closed(`"${last}"`)
      if (last === 'file_data' && typeof value === 'string') found.picture(value.length)
    },
    result: (bytes) =>
      found.result(
        bytes,
        found.numbers.get('max_output_tokens') ?? null,
        1,
        // By default the provider would keep every answer for a month.
        found.has('store') ? [] : ['"store":false'],
      ),
  }
}

/** Looks at a request of Chat Completions. A stream is made to tell its usage. */
export function chatInspection(): Inspection {
  const found = new Findings()
  let tells = false
  return {
    visit(path, value) {
      visitTop(found, path, value)
      const [key = ''] = path
      if (path.length === 1 && ['n', 'max_tokens', 'max_completion_tokens'].includes(key))
        found.number(key, value)
      if (key === 'stream_options' && path[1] === 'include_usage') {
        found.once('include_usage')
        tells = value === true
      }
      if (key === 'audio' && path.length === 1 && value !== null)
        found.object('Audio has no list price here. Leave it out.')
      if (key === 'modalities' && path.length === 2 && value !== 'text')
        found.object('Only text has a list price here. Leave "modalities" out.')
      if (key === 'tools' && path.length === 3 && path[2] === 'type')
        if (value !== 'function' && value !== 'custom') found.closed(`The tool type "${String(value)}"`)
      if (key !== 'messages') return
      const last = path.at(-1) ?? ''
      if (last === 'image_url' || (last === 'url' && path.at(-2) === 'image_url')) found.source(value)
      if (last === 'file_id' && value !== null) found.closed('"file_id"')
      if ((last === 'file_data' || last === 'data') && typeof value === 'string') found.picture(value.length)
    },
    result(bytes) {
      const most = ['max_completion_tokens', 'max_tokens'].map((key) => found.numbers.get(key))
      if (found.isStream && found.has('stream_options') && !tells)
        found.object(
          '"stream_options" does not ask for the usage: set "include_usage" to true, or leave it out.',
        )
      const append = found.isStream && !tells ? ['"stream_options":{"include_usage":true}'] : []
      const result = found.result(bytes, most[0] ?? most[1] ?? null, found.numbers.get('n') ?? 1, append)
      return 'problem' in result || append.length === 0 ? result : { ...result, filter: withoutUsageChunk }
    },
  }
}
