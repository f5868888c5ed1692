import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, isBody, type Said } from './api.ts'
import { chat } from './chat.ts'
import { gemini } from './gemini.ts'
import { messages } from './messages.ts'
import { responses } from './responses.ts'
import { type Conversation, type Fault, type Script, type Told, turnOf } from './script.ts'
import { callOf } from './tools.ts'

export interface ModelOptions {
  readonly script: Script
  /** What is wrong with the answer to the call `n`, from 0; null: nothing. */
  readonly fault?: (n: number, conversation: Conversation) => Fault | null
  readonly port?: number
}

/** One call that the server had. */
export interface Had {
  readonly n: number
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly conversation: Conversation
  readonly body: string
  readonly fault: Fault | null
  /** What it said that the call took; null where it answered with an error, or did not come to say. */
  readonly told: Told | null
}

export interface Model extends AsyncDisposable {
  /** Without `/v1`: what an API's base address begins with. */
  readonly origin: string
  readonly had: readonly Had[]
  /** The sum of all that it told, as Cofferdam counts it. */
  readonly sums: () => { readonly inputTokens: number; readonly outputTokens: number }
}

const apis: readonly Api[] = [messages, responses, chat, gemini]

/** A model that does what its script says, on loopback, for the APIs of Anthropic, OpenAI and Gemini. */
export async function openModel(options: ModelOptions): Promise<Model> {
  const had: Had[] = []
  const server = createServer((request, response) => {
    void answer(request, response, options, had).catch((error: unknown) => {
      // A script that does not fit its agent: the agent's output shows why.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: String(error), type: 'script_error' } }))
    })
  })
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    had,
    sums() {
      const told = had.flatMap((each) => each.told ?? [])
      return {
        inputTokens: told.reduce(
          (sum, { input, cached, cacheWrite }) => sum + input + cached + cacheWrite,
          0,
        ),
        outputTokens: told.reduce((sum, { output, reasoning }) => sum + output + reasoning, 0),
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { script, fault: faultOf }: ModelOptions,
  had: Had[],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://model')
  const body = await wholeOf(request)
  if (request.method !== 'POST') return aside(url.pathname, response)
  if (/\/count_tokens$|:countTokens$/.test(url.pathname)) {
    const count = tokensOf(body)
    return json(response, 200, { input_tokens: count, totalTokens: count })
  }
  const api = apis.find(({ path }) => path.test(url.pathname))
  const parsed: unknown = JSON.parse(body)
  if (api === undefined || !isBody(parsed)) return json(response, 404, { error: { message: 'Not found.' } })
  const conversation = api.read(parsed, url.pathname, url.searchParams)
  const n = had.length
  const fault = faultOf?.(n, conversation) ?? null
  const record = (told: Told | null): void =>
    void had.push({ n, path: request.url ?? '', headers: request.headers, conversation, body, fault, told })
  if (fault !== null && (await refused(api, fault, response))) return record(null)
  const credential = credentialOf(request, url)
  const said = saidOf(script, conversation, n, body, fault, credential)
  record(fault?.kind === 'truncated' ? null : said.told)
  if (fault?.kind === 'echo') response.setHeader('x-echo', credential)
  const { stream } = conversation
  const usual = stream ? 'text/event-stream; charset=utf-8' : 'application/json'
  const type = fault?.kind === 'content type' ? fault.type : usual
  if (stream && (api !== gemini || url.searchParams.get('alt') === 'sse')) {
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' })
    return sendEvents(api, said, fault, response)
  }
  // Gemini streams one list where no events are asked for.
  const whole = stream ? api.events(said).map(({ data }) => data) : api.document(said)
  const text = JSON.stringify(whole)
  response.writeHead(200, { 'content-type': stream ? 'application/json' : type, 'x-request-id': `req_${n}` })
  if (fault?.kind !== 'truncated') return void response.end(text)
  response.write(text.slice(0, text.length / 2), () => response.destroy())
}

/** Answers where the fault is instead of an answer. */
async function refused(api: Api, fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'rate limit':
    case 'overload':
    case 'server error':
    case 'auth':
    case 'context': {
      const { status, body } = api.error(fault.kind)
      json(
        response,
        status,
        body,
        fault.kind === 'rate limit' ? { 'retry-after': String(fault.retryAfter) } : {},
      )
      return true
    }
    case 'redirect':
      response.writeHead(307, { location: fault.to }).end()
      return true
    case 'hang':
      await new Promise((done) => response.once('close', done))
      return true
    default:
      return false
  }
}

function saidOf(
  script: Script,
  conversation: Conversation,
  n: number,
  body: string,
  fault: Fault | null,
  credential: string,
): Said {
  const { actions, tokens } = turnOf(script, conversation)
  const texts = actions.flatMap((action) => (action.do === 'say' ? [action.text] : []))
  const calls = actions.flatMap((action) => (action.do === 'say' ? [] : [callOf(action, conversation.tools)]))
  const output = tokensOf([...texts, ...calls.map(({ input }) => JSON.stringify(input))].join(''))
  return {
    conversation,
    n,
    texts: fault?.kind === 'echo' ? [...texts, `The key is ${credential}.`] : texts,
    calls,
    told: { input: tokensOf(body), cached: 0, cacheWrite: 0, output, reasoning: 0, ...tokens },
    isMalformed: fault?.kind === 'malformed call',
  }
}

async function sendEvents(
  api: Api,
  said: Said,
  fault: Fault | null,
  response: ServerResponse,
): Promise<void> {
  const all = api.events(said)
  const events = fault?.kind === 'truncated' ? all.slice(0, -2) : all
  for (const { name, data } of events) {
    if (fault?.kind === 'slow') await sleep(fault.eventMs)
    if (response.destroyed) return
    const line = typeof data === 'string' ? data : JSON.stringify(data)
    response.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${line}\n\n`)
  }
  if (fault?.kind !== 'truncated') return void response.end()
  // What was written is to arrive first.
  response.write('\n', () => response.destroy())
}

/** What agents look at before they begin. */
function aside(path: string, response: ServerResponse): void {
  if (!path.endsWith('/models')) return void response.writeHead(200).end()
  json(response, 200, { object: 'list', data: [], models: [], has_more: false })
}

function json(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function credentialOf({ headers }: IncomingMessage, url: URL): string {
  const bearer = headers.authorization?.replace(/^Bearer /, '')
  const named = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? bearer ?? url.searchParams.get('key')
  return String(named ?? 'none')
}

/** Four bytes for each, and one at least. */
const tokensOf = (text: string): number => Math.max(1, Math.ceil(Buffer.byteLength(text) / 4))

async function wholeOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
