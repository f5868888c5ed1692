import type { Inspection } from './upstream.ts'

/** Tools that the box itself runs. Every other type runs at the provider, which has a network. */
const boxTool =
  /^(?:custom|(?:bash|text_editor|computer|memory)_\d{8}|tool_search_tool_(?:regex|bm25)(?:_\d{8})?)$/
/** Where the content of a block may come from: the request itself. `url` and `file` make the provider fetch it. */
const ownSource = new Set(['base64', 'text', 'content'])

/** Keys that decide what a call is, so they may be there once. */
const single = new Set([
  'model',
  'max_tokens',
  'tools',
  'mcp_servers',
  'container',
  'speed',
  'service_tier',
  'stream',
])

/** Text has about four bytes for each token, in languages and code alike; what an image or a page comes to, whatever its bytes. */
const bytesPerToken = 4
const tokensPerPicture = 1600

/**
 * Looks at a request of the Messages API: which model it asks for, what it may cost, and whether it makes the provider reach
 * the network (web search and fetch, remote MCP servers, code in the provider's containers, sources by address).
 */
export function messagesInspection(): Inspection {
  const seen = new Set<string>()
  let model: string | null = null
  let maxTokens: number | null = null
  let pictures = 0
  let pictureBytes = 0
  let problem: string | null = null
  const object = (text: string): void => void (problem ??= text)
  const closed = (what: string): void =>
    object(`${what} is not allowed: with it the provider would reach the network for the box. Leave it out.`)
  return {
    visit(path, value) {
      const [first] = path
      if (first === undefined && value !== undefined) object('The request is no JSON object.')
      if (path.length === 1 && first !== undefined && single.has(first)) {
        if (seen.has(first)) object(`The request has "${first}" twice.`)
        seen.add(first)
      }
      if (path.length === 1 && first === 'model' && typeof value === 'string') model = value
      if (path.length === 1 && first === 'max_tokens' && typeof value === 'number') maxTokens = value
      if (path.length === 1 && first === 'speed' && value !== 'standard' && value !== null)
        object('A speed other than "standard" has no list price here. Leave it out.')
      if (
        first === 'tools' &&
        path.length === 3 &&
        path[2] === 'type' &&
        !(typeof value === 'string' && boxTool.test(value))
      )
        closed(`The tool type "${String(value)}"`)
      if (first === 'mcp_servers' && path.length > 1) closed('"mcp_servers"')
      if (first === 'container' && value !== null) closed('"container"')
      if (isSourceType(path) && !(typeof value === 'string' && ownSource.has(value)))
        closed(`A source of the type "${String(value)}"`)
      if (path.at(-1) === 'data' && path.at(-2) === 'source' && typeof value === 'string') {
        pictures += 1
        pictureBytes += value.length
      }
    },
    result(bytes) {
      if (problem !== null) return { problem }
      if (model === null) return { problem: 'The request names no model.' }
      // Counting has no max_tokens; a paid call is refused without it by the provider as well.
      const output = maxTokens ?? (seen.has('max_tokens') ? -1 : 0)
      if (!Number.isInteger(output) || output < 0) return { problem: 'max_tokens is no whole number.' }
      const input = Math.ceil(Math.max(0, bytes - pictureBytes) / bytesPerToken) + pictures * tokensPerPicture
      return { model, estimate: { input, output } }
    },
  }
}

/** `source.type` of a block of content, wherever blocks are; not what a tool was called with, which may look the same. */
function isSourceType(path: readonly string[]): boolean {
  if (path.at(-1) !== 'type' || path.at(-2) !== 'source') return false
  return (
    !(path[0] === 'messages' && path[4] === 'input') && !(path[0] === 'tools' && path[2] === 'input_schema')
  )
}
