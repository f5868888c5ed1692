import { z } from 'zod'
import { type Agent, agentHome, type AgentProgress, type AgentSettings, type Usage } from '../domain/agent.ts'
import { endingOf } from './ending.ts'
import { lineOf, tokenCount } from './lines.ts'
import { otherLine, said, toolUse } from './progress.ts'
import { addressOf, modelFor, placeholderKey } from './settings.ts'

const messageSchema = z.looseObject({
  role: z.string(),
  content: z
    .union([
      z.string(),
      z.array(
        z.looseObject({
          type: z.string(),
          text: z.string().optional(),
          name: z.string().optional(),
          arguments: z.unknown().optional(),
        }),
      ),
    ])
    .optional(),
  usage: z
    .object({
      input: tokenCount,
      output: tokenCount,
      cacheRead: tokenCount.default(0),
      cacheWrite: tokenCount.default(0),
    })
    .optional(),
  stopReason: z.string().optional(),
  errorMessage: z.string().optional(),
})
type Message = z.infer<typeof messageSchema>

/** The lines of `--mode json`, as far as they are read. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), id: z.string() }),
  z.object({ type: z.literal('message_end'), message: messageSchema }),
])

/** How each kind of API is called there, and the path of it below the upstream. */
const apis: Readonly<Record<string, readonly [api: string, path: string]>> = {
  anthropic: ['anthropic-messages', ''],
  openai: ['openai-responses', '/v1'],
  gemini: ['google-generative-ai', '/v1beta'],
  'openai-compatible': ['openai-completions', '/v1'],
}

/**
 * pi, through any upstream. Seen with 1.5.2 against the scripted model server of the tests, on 27 November 2026: it takes
 * its providers from `models.json` of its folder, reads the prompt from standard input, and writes one line per message.
 */
export function pi({ upstream, model }: AgentSettings): Agent {
  const asked = upstream ?? 'anthropic'
  const name = modelFor(asked, model)
  const [api, path] = apis[asked] ?? ['openai-completions', '/v1']
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
  const known = {
    id: name,
    name,
    reasoning: false,
    input: ['text'],
    contextWindow: 200_000,
    maxTokens: 8192,
    cost: free,
  }
  const models = JSON.stringify({
    providers: {
      box: { baseUrl: `${addressOf(asked)}${path}`, api, apiKey: placeholderKey, models: [known] },
    },
  })
  return {
    name: 'pi',
    upstream: asked,
    call: (_, conversation) => ({
      argv: [
        'pi',
        '--mode',
        'json',
        '--print',
        '--provider',
        'box',
        '--model',
        name,
        ...(conversation === null ? [] : ['--session', conversation]),
      ],
      env: {
        PI_CODING_AGENT_DIR: agentHome,
        PI_OFFLINE: '1',
        PI_SKIP_VERSION_CHECK: '1',
        PI_TELEMETRY: '0',
      },
      files: { 'models.json': models },
    }),
    keeps: (file) => /^sessions\/[^/]+\/[\w.:-]+\.jsonl$/.test(file),
    reading: () => {
      let session: string | null = null
      let last: Message | null = null
      let usage: Usage | null = null
      return {
        line(text) {
          const line = lineOf(lineSchema, text)
          if (line === null) return otherLine(text)
          if (line.type === 'session') session = line.id
          if (line.type !== 'message_end' || line.message.role !== 'assistant') return []
          last = line.message
          usage = sum(usage, last)
          return progressOf(last)
        },
        end: (box, prompt) => endingOf(box, prompt, { ...found(last), upstream: asked, session, usage }),
      }
    },
  }
}

function found(last: Message | null) {
  const { stopReason, errorMessage } = last ?? {}
  const broken = stopReason === 'error' || stopReason === 'aborted'
  return {
    program: 'pi',
    ended: stopReason === 'stop',
    text: last === null ? '' : textOf(last),
    error: broken ? { text: errorMessage ?? '' } : null,
  }
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content
  return (content ?? []).flatMap(({ type, text }) => (type === 'text' ? (text ?? []) : [])).join('\n')
}

function sum(before: Usage | null, { usage }: Message): Usage | null {
  if (usage === undefined) return before
  return {
    inputTokens: (before?.inputTokens ?? 0) + usage.input + usage.cacheRead + usage.cacheWrite,
    outputTokens: (before?.outputTokens ?? 0) + usage.output,
    costUsd: null,
  }
}

function progressOf({ content }: Message): readonly AgentProgress[] {
  if (typeof content === 'string') return said(content)
  return (content ?? []).flatMap(({ type, text, name, arguments: input }) => {
    if (type === 'text') return said(text ?? '')
    return type === 'toolCall' ? [toolUse(name ?? 'a tool', input)] : []
  })
}
