import { z } from 'zod'
import {
  type Agent,
  agentHome,
  type AgentProgress,
  type AgentReading,
  type AgentSettings,
} from '../domain/agent.ts'
import { endingOf } from './ending.ts'
import { lineOf, tokenCount } from './lines.ts'
import { otherLine, said, toolUse } from './progress.ts'
import { addressOf, placeholderKey, usualModels } from './settings.ts'

const failure = z.looseObject({ message: z.string().optional(), type: z.string().optional() })

/** The lines of `--output-format stream-json`, as far as they are read. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('init'), session_id: z.string() }),
  z.object({ type: z.literal('message'), role: z.string(), content: z.string() }),
  z.object({ type: z.literal('tool_use'), tool_name: z.string(), parameters: z.unknown().optional() }),
  z.object({ type: z.literal('tool_result') }),
  z.object({ type: z.literal('error'), message: z.string().optional(), severity: z.string().optional() }),
  z.object({
    type: z.literal('result'),
    status: z.string(),
    error: failure.optional(),
    stats: z.object({ input_tokens: tokenCount, output_tokens: tokenCount }).optional(),
  }),
])
type Line = z.infer<typeof lineSchema>

const settings = JSON.stringify({
  security: { auth: { selectedType: 'gemini-api-key' } },
  general: { maxAttempts: 3, enableAutoUpdate: false, enableAutoUpdateNotification: false },
  privacy: { usageStatisticsEnabled: false },
})

/**
 * Gemini CLI, through the upstream `gemini`. Seen with 0.61.0 against the scripted model server of the tests, on 27 November
 * 2026: it wants the kind of its key in `.gemini/settings.json`, takes another address from GOOGLE_GEMINI_BASE_URL, reads
 * the prompt from standard input, and prints what the assistant says in pieces.
 */
export function gemini({ model }: AgentSettings): Agent {
  return {
    name: 'gemini',
    upstream: 'gemini',
    call: (_, conversation) => ({
      argv: [
        'gemini',
        '--output-format',
        'stream-json',
        '--approval-mode',
        'yolo',
        // Left to itself it asks a second model which one to ask.
        '--model',
        model ?? usualModels.gemini,
        ...(conversation === null ? [] : ['--resume', conversation]),
      ],
      env: {
        GEMINI_CLI_HOME: agentHome,
        GEMINI_API_KEY: placeholderKey,
        GOOGLE_GEMINI_BASE_URL: addressOf('gemini'),
        GEMINI_CLI_TRUST_WORKSPACE: 'true',
        GEMINI_TELEMETRY_ENABLED: 'false',
        // It starts itself a second time, for half of the memory of the machine, which the box does not have.
        GEMINI_CLI_NO_RELAUNCH: 'true',
      },
      files: { '.gemini/settings.json': settings },
    }),
    keeps: (path) => /^\.gemini\/tmp\/[\w-]+\/chats\/session-[\w.:-]+\.jsonl?$/.test(path),
    reading,
  }
}

type End = Extract<Line, { readonly type: 'result' }>

function reading(): AgentReading {
  let session: string | null = null
  // What it said since it last did something else: it comes in pieces.
  let text = ''
  let end: End | null = null
  const take = (line: Line): readonly AgentProgress[] => {
    if (line.type === 'message') {
      if (line.role === 'assistant') text += line.content
      return []
    }
    if (line.type === 'init') session = line.session_id
    if (line.type === 'result') end = line
    const before = said(text)
    // What stands before the result is its last word.
    if (line.type !== 'result') text = ''
    if (line.type === 'tool_use') return [...before, toolUse(line.tool_name, line.parameters)]
    return line.type === 'error' ? [...before, ...otherLine(line.message ?? '')] : before
  }
  return {
    line(printed) {
      const line = lineOf(lineSchema, printed)
      return line === null ? otherLine(printed) : take(line)
    },
    end: (box, prompt) => endingOf(box, prompt, { ...found(end), session, text }),
  }
}

function found(end: End | null) {
  const { status, error, stats } = end ?? {}
  return {
    program: 'Gemini CLI',
    upstream: 'gemini',
    ended: status === 'success',
    usage:
      stats === undefined
        ? null
        : { inputTokens: stats.input_tokens, outputTokens: stats.output_tokens, costUsd: null },
    error: status === 'error' ? { text: error?.message ?? error?.type ?? '' } : null,
  }
}
