import { z } from 'zod'
import { type Agent, agentHome, type AgentProgress, type AgentSettings, type Usage } from '../domain/agent.ts'
import { endingOf, type Found } from './ending.ts'
import { lineOf, tokenCount } from './lines.ts'
import { otherLine, said, toolUse } from './progress.ts'
import { addressOf, placeholderKey } from './settings.ts'

/** The last line of `--output-format stream-json`, as far as it is read. */
const resultSchema = z.object({
  type: z.literal('result'),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().optional(),
  /** In place of `result` where the program itself came to no answer. */
  errors: z.array(z.string()).optional(),
  session_id: z.string(),
  /** The HTTP status where a call of the model failed. */
  api_error_status: z.int().nullable().optional(),
  usage: z
    .object({
      input_tokens: tokenCount,
      cache_creation_input_tokens: tokenCount.default(0),
      cache_read_input_tokens: tokenCount.default(0),
      output_tokens: tokenCount,
    })
    .optional(),
})
type Result = z.infer<typeof resultSchema>

const assistantSchema = z.object({
  type: z.literal('assistant'),
  message: z.object({
    content: z.array(
      z.looseObject({
        type: z.string(),
        text: z.string().optional(),
        name: z.string().optional(),
        input: z.unknown().optional(),
      }),
    ),
  }),
})

/**
 * Claude Code, through the upstream `anthropic`. Seen with 2.1.197 against the scripted model server of the tests, on 27
 * November 2026: as root it refuses to skip permissions; it takes a plain address on loopback, sends
 * `POST /v1/messages?beta=true` with `stream: true`, reads the prompt from standard input, keeps its conversations in
 * `projects/` of its folder, and ends with a line of type `result`, exit code 1 on an error.
 */
export function claude({ model }: AgentSettings): Agent {
  return {
    name: 'claude',
    upstream: 'anthropic',
    call: (_, conversation) => ({
      // The box is the wall: a question for permission would have nobody to answer it.
      argv: [
        'claude',
        '--print',
        '--output-format',
        'stream-json',
        '--verbose',
        '--dangerously-skip-permissions',
        ...(model === null ? [] : ['--model', model]),
        ...(conversation === null ? [] : ['--resume', conversation]),
      ],
      env: {
        ANTHROPIC_BASE_URL: addressOf('anthropic'),
        ANTHROPIC_API_KEY: placeholderKey,
        CLAUDE_CONFIG_DIR: agentHome,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        // Ten by itself, which is minutes in a box that waits: the loop has a rule of its own for what passes.
        CLAUDE_CODE_MAX_RETRIES: '2',
        DISABLE_AUTOUPDATER: '1',
      },
      files: {},
    }),
    keeps: (path) => /^projects\/[^/]+\/[0-9a-f-]{36}\.jsonl$/.test(path),
    reading: () => {
      let result: Result | undefined
      return {
        line(line) {
          result = lineOf(resultSchema, line) ?? result
          return progressOf(line)
        },
        end: (box, prompt) => endingOf(box, prompt, found(result)),
      }
    },
  }
}

function found(result: Result | undefined): Found {
  return {
    program: 'Claude Code',
    upstream: 'anthropic',
    ended: result !== undefined,
    text: result?.result ?? '',
    session: result?.session_id ?? null,
    usage: result?.usage === undefined ? null : usageOf(result.usage),
    error: result?.is_error === true ? errorOf(result) : null,
  }
}

function errorOf({ result, errors = [], subtype, api_error_status: status }: Result) {
  const text = result ?? (errors.join('\n') || subtype.replaceAll('_', ' '))
  return { text, status, turns: subtype === 'error_max_turns' }
}

/** Without a cost: what calls cost is counted by the gateway, not by the program in the box. */
function usageOf(usage: NonNullable<Result['usage']>): Usage {
  const { input_tokens: read, cache_creation_input_tokens: kept, cache_read_input_tokens: cached } = usage
  return { inputTokens: read + kept + cached, outputTokens: usage.output_tokens, costUsd: null }
}

function progressOf(line: string): readonly AgentProgress[] {
  const found = lineOf(assistantSchema, line)
  if (found === null) return otherLine(line)
  return found.message.content.flatMap(({ type, text, name, input }) => {
    if (type === 'text') return said(text ?? '')
    return type === 'tool_use' ? [toolUse(name ?? 'a tool', input)] : []
  })
}
