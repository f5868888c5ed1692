import { z } from 'zod'
import { type Agent, agentHome, type AgentReading, type AgentSettings } from '../../src/domain/agent.ts'
import { endingOf } from '../../src/agents/ending.ts'
import { lineOf, tokenCount } from '../../src/agents/lines.ts'
import { otherLine, said, toolUse } from '../../src/agents/progress.ts'
import { addressOf, modelFor, placeholderKey } from '../../src/agents/settings.ts'

/** What it prints, as far as it is read. A box may print anything: what does not fit is shown as it is. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tool'), name: z.string(), input: z.unknown().optional() }),
  z.object({
    type: z.literal('end'),
    ok: z.boolean(),
    session: z.string(),
    text: z.string(),
    input: tokenCount,
    output: tokenCount,
  }),
])
type End = Extract<z.infer<typeof lineSchema>, { readonly type: 'end' }>

/** Acorn, through the upstream `anthropic`. Say here with which version and when this was seen. */
export function acorn({ model }: AgentSettings): Agent {
  return {
    name: 'acorn',
    upstream: 'anthropic',
    call: (_, conversation) => ({
      argv: [
        'acorn',
        '--json',
        '--model',
        modelFor('anthropic', model),
        ...(conversation === null ? [] : ['--resume', conversation]),
      ],
      env: { ACORN_HOME: agentHome, ACORN_API_KEY: placeholderKey, ACORN_BASE_URL: addressOf('anthropic') },
      // Laid down fresh before each step: nothing that an agent writes there counts in the next.
      files: { 'settings.json': JSON.stringify({ updates: false, telemetry: false }) },
    }),
    // Of its folder, conversations alone are kept.
    keeps: (path) => /^sessions\/[\w-]+\.jsonl$/.test(path),
    reading,
  }
}

function reading(): AgentReading {
  let end: End | null = null
  return {
    line(printed) {
      const line = lineOf(lineSchema, printed)
      if (line === null) return otherLine(printed)
      if (line.type === 'text') return said(line.text)
      if (line.type === 'tool') return [toolUse(line.name, line.input)]
      end = line
      return []
    },
    // The same rules for every agent: markers, kinds of errors, how much of the text is kept.
    end: (box, prompt) => endingOf(box, prompt, found(end)),
  }
}

function found(end: End | null) {
  return {
    program: 'Acorn',
    upstream: 'anthropic',
    ended: end !== null,
    text: end?.text ?? '',
    session: end?.session ?? null,
    usage: end === null ? null : { inputTokens: end.input, outputTokens: end.output, costUsd: null },
    error: end === null || end.ok ? null : { text: end.text },
  }
}
