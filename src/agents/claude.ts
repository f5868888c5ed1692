import { z } from 'zod'
import type { Agent, AgentResult, Usage } from '../domain/agent.ts'
import type { BoxResult } from '../domain/box.ts'
import { gatewayAddress } from '../domain/egress.ts'
import { readMarker } from '../domain/markers.ts'
import { lastOf } from './last.ts'

/** Its last line of output, as `--output-format stream-json` prints it. Unknown fields are left alone. */
const resultSchema = z.object({
  type: z.literal('result'),
  is_error: z.boolean(),
  result: z.string().optional(),
  /** `success` also where `is_error` is set: then an answer of the model's API was the error. */
  subtype: z.string(),
  /** HTTP status; null where there was no answer or no error. */
  api_error_status: z.number().nullish(),
  usage: z
    .object({
      input_tokens: z.int().nonnegative(),
      cache_creation_input_tokens: z.int().nonnegative().default(0),
      cache_read_input_tokens: z.int().nonnegative().default(0),
      output_tokens: z.int().nonnegative(),
    })
    .optional(),
})
type Result = z.infer<typeof resultSchema>

/**
 * Claude Code. Needs the program `claude` in the image and the upstream `anthropic` in the policy. Each step is a
 * conversation of its own. Seen with 2.1.197 against the scripted model server of the tests, on 27 November 2026: as root
 * it refuses to skip permissions; it takes a plain address on loopback, sends `POST /v1/messages?beta=true` with
 * `stream: true`, reads the prompt from standard input, and ends with a line of type `result`, exit code 1 on an error.
 */
export const claude: Agent = {
  name: 'claude',
  call: () => ({
    // The box is the wall: a question for permission would have nobody to answer it.
    argv: [
      'claude',
      '--print',
      '--output-format',
      'stream-json',
      '--verbose',
      '--dangerously-skip-permissions',
    ],
    env: {
      ANTHROPIC_BASE_URL: `http://${gatewayAddress}/anthropic`,
      ANTHROPIC_API_KEY: 'placeholder',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    },
  }),
  read(box, prompt): AgentResult {
    const result = resultOf(box.output)
    const text = lastOf(result?.result ?? '', 64 * 1024)
    return {
      marker: result === null || result.is_error ? { state: 'NONE' } : readMarker(text, prompt),
      text,
      exitCode: box.exitCode,
      session: null,
      usage: result?.usage === undefined ? null : usageOf(result.usage),
      failure: result === null ? broken(box) : result.is_error ? failureOf(result) : null,
    }
  },
}

function resultOf(output: string): Result | null {
  for (const line of output.split('\n').toReversed()) {
    if (!line.startsWith('{')) continue
    const result = resultSchema.safeParse(parsed(line))
    if (result.success) return result.data
  }
  return null
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** Without a cost: what calls cost is counted by the gateway, not by the program in the box. */
function usageOf(usage: NonNullable<Result['usage']>): Usage {
  const { input_tokens: read, cache_creation_input_tokens: kept, cache_read_input_tokens: cached } = usage
  return { inputTokens: read + kept + cached, outputTokens: usage.output_tokens, costUsd: null }
}

function broken(box: BoxResult): string {
  const what = box.message ?? `Claude Code ended with exit code ${box.exitCode ?? 'unknown'} and no result.`
  const lines = lastOf(box.output.trimEnd().split('\n').slice(-5).join('\n'), 4096).trim()
  return lines === '' ? what : `${what} Its last lines:\n${lines}`
}

function failureOf(result: Result): string {
  const said = lastOf(result.result ?? result.subtype, 2000)
  return `${whatToDo(result, said)} Claude Code says: ${said}`
}

function whatToDo({ api_error_status: status, subtype }: Result, said: string): string {
  if (/prompt is too long/i.test(said))
    return 'The conversation grew longer than the model reads: make the goal smaller.'
  if (subtype === 'error_max_turns') return 'Claude Code reached its own limit of turns.'
  if (status === 401)
    return 'The key for the upstream anthropic is not accepted: set a valid ANTHROPIC_API_KEY.'
  if (status === 403) return 'The call was refused: see the events of the task, and the rights of the key.'
  if (status === 429)
    return 'The provider limits the rate of calls, or the gateway the budget: see the events.'
  if (status !== null && status !== undefined && status >= 500) return 'The provider is overloaded or down.'
  if (/unable to connect/i.test(said))
    return 'No model could be reached: allow it with `policy: { upstreams: [anthropic] }`.'
  return 'Claude Code ended with an error.'
}
