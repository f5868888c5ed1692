import { z } from 'zod'
import { type Agent, agentHome, type AgentProgress, type AgentSettings, type Usage } from '../domain/agent.ts'
import { endingOf, type Found } from './ending.ts'
import { lineOf, tokenCount } from './lines.ts'
import { otherLine, said, toolUse } from './progress.ts'
import { addressOf, modelFor, placeholderKey } from './settings.ts'

const tokens = z.object({
  input: tokenCount,
  output: tokenCount,
  reasoning: tokenCount.default(0),
  cache: z.object({ read: tokenCount, write: tokenCount }).default({ read: 0, write: 0 }),
})

/** The lines of `run --format json`, as far as they are read. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step_start'), sessionID: z.string() }),
  z.object({ type: z.literal('text'), part: z.object({ text: z.string() }) }),
  z.object({
    type: z.literal('tool_use'),
    part: z.object({ tool: z.string(), state: z.looseObject({ input: z.unknown().optional() }) }),
  }),
  z.object({
    type: z.literal('step_finish'),
    part: z.object({ reason: z.string(), tokens: tokens.optional() }),
  }),
  z.object({
    type: z.literal('error'),
    error: z.looseObject({
      name: z.string().optional(),
      data: z.looseObject({ message: z.string().optional(), statusCode: z.int().optional() }).optional(),
    }),
  }),
])
type Line = z.infer<typeof lineSchema>

/** The package of each kind of API that opencode speaks, and the path of its API below the upstream. */
const packages: Readonly<Record<string, readonly [npm: string, path: string]>> = {
  anthropic: ['@ai-sdk/anthropic', '/v1'],
  openai: ['@ai-sdk/openai', '/v1'],
  gemini: ['@ai-sdk/google', '/v1beta'],
  'openai-compatible': ['@ai-sdk/openai-compatible', '/v1'],
}

/**
 * opencode, through any upstream. Seen with 1.18.18 against the scripted model server of the tests, on 27 November 2026: it
 * takes its whole configuration from OPENCODE_CONFIG_CONTENT, reads the prompt from standard input, asks for a title where
 * none is given, and keeps its conversations in a database, which it makes on its first start.
 */
export function opencode({ upstream, model }: AgentSettings): Agent {
  const asked = upstream ?? 'anthropic'
  const name = modelFor(asked, model)
  const [npm, path] = packages[asked] ?? ['@ai-sdk/openai-compatible', '/v1']
  const config = JSON.stringify({
    autoupdate: false,
    share: 'disabled',
    // Copies of the tree of its own, before and after each answer: checkpoints are ours.
    snapshot: false,
    model: `box/${name}`,
    small_model: `box/${name}`,
    permission: { '*': 'allow' },
    provider: {
      box: {
        npm,
        name: 'box',
        options: { baseURL: `${addressOf(asked)}${path}`, apiKey: placeholderKey },
        models: { [name]: { name, limit: { context: 200_000, output: 8192 } } },
      },
    },
  })
  return {
    name: 'opencode',
    upstream: asked,
    call: (_, conversation) => ({
      argv: [
        'opencode',
        'run',
        '--format',
        'json',
        ...(conversation === null ? ['--title', 'A step'] : ['--session', conversation]),
      ],
      env: {
        OPENCODE_CONFIG_CONTENT: config,
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
        OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
        XDG_DATA_HOME: agentHome,
      },
      files: {},
    }),
    keeps: (file) => /^opencode\/opencode\.db(?:-wal)?$/.test(file),
    reading: () => {
      let seen: Seen = { session: null, text: '', usage: null, ended: false, error: null }
      return {
        line(text) {
          const line = lineOf(lineSchema, text)
          if (line === null) return otherLine(text)
          seen = after(seen, line)
          return progressOf(line)
        },
        end: (box, prompt) => endingOf(box, prompt, { ...seen, program: 'opencode', upstream: asked }),
      }
    },
  }
}

type Seen = Omit<Found, 'program' | 'upstream'>

function after(seen: Seen, line: Line): Seen {
  switch (line.type) {
    case 'step_start':
      return { ...seen, session: line.sessionID, text: '' }
    case 'text':
      return { ...seen, text: seen.text === '' ? line.part.text : `${seen.text}\n${line.part.text}` }
    case 'step_finish':
      return { ...seen, ended: line.part.reason === 'stop', usage: sum(seen.usage, line.part.tokens) }
    case 'error': {
      const { data, name } = line.error
      return {
        ...seen,
        error: { text: [name, data?.message].filter(Boolean).join(': '), status: data?.statusCode },
      }
    }
    case 'tool_use':
      return seen
  }
}

function sum(before: Usage | null, more: z.infer<typeof tokens> | undefined): Usage | null {
  if (more === undefined) return before
  const { input, output, reasoning, cache } = more
  return {
    inputTokens: (before?.inputTokens ?? 0) + input + cache.read + cache.write,
    outputTokens: (before?.outputTokens ?? 0) + output + reasoning,
    costUsd: null,
  }
}

function progressOf(found: Line): readonly AgentProgress[] {
  if (found.type === 'text') return said(found.part.text)
  return found.type === 'tool_use' ? [toolUse(found.part.tool, found.part.state.input)] : []
}
