import { describe, expect, it } from 'vitest'
import { claude } from '../../src/agents/claude.ts'
import { unset } from '../../src/agents/settings.ts'
import type { AgentErrorKind } from '../../src/domain/agent.ts'
import { readingOf } from './ended.ts'

// What version 2.1.197 prints against the scripted model where that fails, without what nobody reads.

const result = (some: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    type: 'result',
    subtype: 'success',
    is_error: false,
    api_error_status: null,
    num_turns: 3,
    result: 'All done.\n\nTASK_STATE: DONE',
    session_id: '54bab2b6-fc86-4707-9ada-f563c268370c',
    usage: {
      input_tokens: 57467,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 3,
      output_tokens: 34,
    },
    ...some,
  })
const init = '{"type":"system","subtype":"init","cwd":"/work","permissionMode":"bypassPermissions"}'
const error = (status: number | null, text: string): string =>
  result({ is_error: true, api_error_status: status, result: text })
const read = (output: string, exitCode: number) => readingOf(claude(unset), output, { exitCode }).result

it('counts what was read from a cache and written to it', () => {
  expect(read(`${init}\n${result({})}\n`, 0).usage).toEqual({
    inputTokens: 57_490,
    outputTokens: 34,
    costUsd: null,
  })
})

it('keeps the end of a long text, at most 64 KiB', () => {
  const { text, marker } = read(result({ result: `${'修'.repeat(50_000)}\nTASK_STATE: CONTINUE` }), 0)
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536)
  expect(marker.state).toBe('CONTINUE')
})

describe('how it fails', () => {
  it.each<[string, string, AgentErrorKind, RegExp]>([
    ['rate limit', error(429, 'API Error: Request rejected (429)'), 'rate_limit', /limits the rate/],
    ['overload', error(529, 'API Error: 529 Overloaded.'), 'overload', /overloaded or down/],
    ['key', error(401, 'Invalid API key · Fix external API key'), 'auth', /does not accept the key/],
    ['refusal', error(403, 'API Error: 403'), 'auth', /refuses this call/],
    ['context', error(400, 'Prompt is too long · the request is ~214096 tokens'), 'context', /longer than/],
    ['no model', error(null, 'API Error: Unable to connect to API (ConnectionRefused)'), 'overload', /down/],
    ['truncated', error(null, 'API Error: Connection closed mid-response.'), 'overload', /down/],
    [
      'turns',
      result({ is_error: true, subtype: 'error_max_turns', result: undefined }),
      'turns',
      /limit of turns/,
    ],
    ['session', 'No conversation found with session ID: 54bab2b6', 'session', /does not find/],
    [
      'session, as its protocol says it',
      result({
        is_error: true,
        subtype: 'error_during_execution',
        result: undefined,
        errors: ['No conversation found with session ID: 54bab2b6'],
      }),
      'session',
      /^Claude Code does not find its conversation any more\. Claude Code says: No conversation found with session ID: 54bab2b6$/,
    ],
    [
      'no reason',
      result({ is_error: true, subtype: 'error_during_execution', result: undefined }),
      'crash',
      /says: error during execution$/,
    ],
    ['crash', `${init}\nSegmentation fault`, 'crash', /exit code 1 before .* says: Segmentation fault$/],
    ['half a line', result({}).slice(0, -9), 'crash', /exit code 1 before it was done\.$/],
    ['a result of another shape', result({ usage: { input_tokens: -5 } }), 'crash', /exit code 1/],
    ['nothing', '', 'crash', /^Claude Code ended with exit code 1 before it was done\.$/],
  ])('%s', (_name, output, kind, sentence) => {
    const { error: found, failure, marker } = read(output, 1)
    expect([found, marker.state]).toEqual([kind, 'NONE'])
    expect(failure).toMatch(sentence)
  })

  it('takes no marker from an error', () => {
    expect(read(error(529, 'x\nTASK_STATE: DONE'), 0).marker.state).toBe('NONE')
  })
})
