import { z } from 'zod'
import { type Agent, agentHome, type AgentProgress, type AgentSettings, type Usage } from '../domain/agent.ts'
import { endingOf } from './ending.ts'
import { lineOf, tokenCount } from './lines.ts'
import { inTree, otherLine, said, toolUse } from './progress.ts'
import { addressOf, placeholderKey } from './settings.ts'

const itemSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  command: z.string().optional(),
  message: z.string().optional(),
  changes: z.array(z.looseObject({ path: z.string() })).optional(),
  query: z.string().optional(),
  tool: z.string().optional(),
})

/** The lines of `codex exec --json`, as far as they are read. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('thread.started'), thread_id: z.string() }),
  z.object({ type: z.literal('item.started'), item: itemSchema }),
  z.object({ type: z.literal('item.completed'), item: itemSchema }),
  z.object({
    type: z.literal('turn.completed'),
    usage: z.object({
      input_tokens: tokenCount,
      output_tokens: tokenCount,
    }),
  }),
  z.object({ type: z.literal('turn.failed'), error: z.looseObject({ message: z.string() }) }),
  z.object({ type: z.literal('error'), message: z.string() }),
])
type Line = z.infer<typeof lineSchema>

const provider = `{name="box",base_url="${addressOf('openai')}/v1",env_key="MODEL_KEY",wire_api="responses",request_max_retries=2,stream_max_retries=2}`

/**
 * Codex, through the upstream `openai` (Responses). Seen with 0.171.0 against the scripted model server of the tests, on 27
 * November 2026: it takes a provider from `-c`, the prompt from standard input with `-`, wants its folder to exist, and
 * says what it does in lines of `item.completed`; an item of type `error` may be no more than a warning.
 */
export function codex({ model }: AgentSettings): Agent {
  return {
    name: 'codex',
    upstream: 'openai',
    call: (_, conversation) => ({
      argv: [
        'codex',
        'exec',
        ...(conversation === null ? [] : ['resume']),
        '--json',
        '--skip-git-repo-check',
        '--dangerously-bypass-approvals-and-sandbox',
        '-c',
        'model_provider="box"',
        '-c',
        `model_providers.box=${provider}`,
        // A tool of the provider's that would reach the network from there.
        '-c',
        'web_search="disabled"',
        ...(model === null ? [] : ['-m', model]),
        ...(conversation === null ? [] : [conversation]),
        '-',
      ],
      env: { CODEX_HOME: agentHome, MODEL_KEY: placeholderKey },
      files: {},
    }),
    keeps: (path) => /^sessions\/\d{4}\/\d\d\/\d\d\/rollout-[\w.:-]+\.jsonl$/.test(path),
    reading: () => {
      let seen: Seen = { session: null, text: '', usage: null, failed: null }
      return {
        line(text) {
          const line = lineOf(lineSchema, text)
          if (line === null) return otherLine(text)
          seen = after(seen, line)
          return progressOf(line)
        },
        end: (box, prompt) =>
          endingOf(box, prompt, {
            ...seen,
            program: 'Codex',
            upstream: 'openai',
            ended: seen.usage !== null,
            error: seen.usage === null && seen.failed !== null ? { text: seen.failed } : null,
          }),
      }
    },
  }
}

interface Seen {
  readonly session: string | null
  readonly text: string
  /** Set when the turn is complete. */
  readonly usage: Usage | null
  readonly failed: string | null
}

function after(seen: Seen, line: Line): Seen {
  switch (line.type) {
    case 'thread.started':
      return { ...seen, session: line.thread_id }
    case 'item.completed':
      return line.item.type === 'agent_message' ? { ...seen, text: line.item.text ?? '' } : seen
    case 'turn.completed': {
      const { input_tokens: inputTokens, output_tokens: outputTokens } = line.usage
      return { ...seen, usage: { inputTokens, outputTokens, costUsd: null } }
    }
    case 'turn.failed':
      return { ...seen, failed: line.error.message }
    case 'error':
      return { ...seen, failed: line.message }
    case 'item.started':
      return seen
  }
}

function progressOf(found: Line): readonly AgentProgress[] {
  if (found.type === 'item.started')
    return found.item.type === 'command_execution'
      ? [toolUse('shell', { command: found.item.command ?? '' })]
      : []
  if (found.type !== 'item.completed') return []
  const { item } = found
  switch (item.type) {
    case 'agent_message':
      return said(item.text ?? '')
    case 'file_change': {
      const paths = (item.changes ?? []).map(({ path }) => inTree(path))
      return [{ kind: 'tool', tool: 'edit', text: paths.join(' '), paths }]
    }
    case 'mcp_tool_call':
      return [toolUse(item.tool ?? 'a tool', {})]
    case 'error':
      return item.message === undefined ? [] : [{ kind: 'line', text: item.message }]
    default:
      return []
  }
}
