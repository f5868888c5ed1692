import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openAgents } from '../../src/agents/open.ts'
import type { Agent, AgentErrorKind } from '../../src/domain/agent.ts'
import { readingOf } from './ended.ts'

// `streams/` is what each program printed in a box, against the scripted model server: it looked around with a shell, wrote
// a file, and said that it is done. Of pi's, what nobody reads is left out.

const agents = openAgents()
const named = (name: string): Agent => {
  const agent = agents.get(name)
  if (agent === undefined) throw new Error(`no agent ${name}`)
  return agent
}
const recorded = (name: string): string =>
  readFileSync(new URL(`streams/${name}.jsonl`, import.meta.url), 'utf8')

const look = 'ls -la /work; echo whole >/work/answer.txt'
interface Known {
  readonly name: string
  readonly session: string
  readonly tokens: readonly [number, number]
  readonly tools: readonly string[]
  readonly paths: readonly string[]
}
const known: readonly Known[] = [
  {
    name: 'claude',
    session: 'c524ebb2-d1d7-4df3-99b1-0c170aedb4d9',
    tokens: [57_530, 35],
    tools: ['Bash', 'Write'],
    paths: ['b.txt'],
  },
  {
    name: 'codex',
    session: '01a21aed-bfd0-7612-9497-c704d3817c4a',
    tokens: [30_735, 47],
    tools: ['shell', 'shell'],
    paths: [],
  },
  {
    name: 'gemini',
    session: '3a171dd0-163c-4759-84ee-097299684777',
    tokens: [36_274, 35],
    tools: ['run_shell_command', 'write_file'],
    paths: ['b.txt'],
  },
  {
    name: 'opencode',
    session: 'ses_de511d396ffe4xydyglt42NkE0',
    tokens: [23_278, 35],
    tools: ['bash', 'write'],
    paths: ['b.txt'],
  },
  {
    name: 'pi',
    session: '01a21aee-0abc-707d-b0ec-6ab0447be960',
    tokens: [4391, 34],
    tools: ['bash', 'write'],
    paths: ['b.txt'],
  },
]

describe.each(known)('$name', ({ name, session, tokens, tools, paths }) => {
  const agent = named(name)

  it('B28 has a key that works nowhere, an address in the box, and its prompt not in argv', () => {
    const { argv, env, files } = agent.call({ name, argv: [] }, null)
    const all = JSON.stringify({ argv, env, files })
    expect(all).toContain(`http://127.0.0.1:3128/${agent.upstream}`)
    expect(all).toContain('placeholder')
    expect(argv[0]).toBe(name)
    expect(Object.keys(files).filter((path) => path.startsWith('/') || path.includes('..'))).toEqual([])
  })

  it('goes on with a conversation that it is given', () => {
    const fresh = agent.call({ name, argv: [] }, null).argv
    const more = agent.call({ name, argv: [] }, session).argv
    expect(fresh).not.toContain(session)
    expect(more).toContain(session)
  })

  it('asks the model that the operator names', () => {
    const own = openAgents({ [name]: { model: 'm-1', upstream: null } }).get(name)
    const { argv, env, files } = own?.call({ name, argv: [] }, null) ?? {}
    expect(JSON.stringify([argv, env, files])).toContain('m-1')
  })

  it('is read to its end: text, marker, conversation, tokens', () => {
    const { result } = readingOf(agent, recorded(name))
    expect(result).toEqual({
      marker: { state: 'DONE' },
      text: 'Made it whole.\n\nTASK_STATE: DONE',
      exitCode: 0,
      session,
      usage: { inputTokens: tokens[0], outputTokens: tokens[1], costUsd: null },
      failure: null,
    })
  })

  it('is read from what streams by, also where the box kept little of it', () => {
    const reading = agent.reading()
    for (const line of recorded(name).split('\n')) reading.line?.(line)
    const box = { end: 'exited', exitCode: 0, output: '…', outputBytes: 1, truncated: true } as const
    const rest = {
      startedAt: 0,
      endedAt: 1,
      peaks: { memoryMb: null, pids: null, cpuMs: null },
      message: null,
    }
    expect(reading.end({ ...box, ...rest }, 'Do it.').marker.state).toBe('DONE')
  })

  it('shows what it says and does, and what it writes', () => {
    const { progress } = readingOf(agent, recorded(name))
    const used = progress.flatMap((one) => (one.kind === 'tool' ? [one] : []))
    expect(used.map(({ tool }) => tool)).toEqual(tools)
    expect(used[0]?.text).toContain(look)
    expect(used.flatMap((one) => one.paths)).toEqual(paths)
    const words = progress.flatMap((one) => (one.kind === 'said' ? [one.text] : []))
    expect(words).toEqual(['Looking.', 'Made it whole.\n\nTASK_STATE: DONE'])
  })

  it('is not done where its stream broke off, whatever it had said', () => {
    const half = recorded(name).trimEnd().split('\n').slice(0, -1)
    // What stands before the end may be the last word already.
    const { result } = readingOf(agent, half.slice(0, -1).join('\n'), { exitCode: 1 })
    expect([result.marker.state, result.error]).toEqual(['NONE', 'crash'])
    expect(result.failure).toMatch(/ended with exit code 1 before it was done/)
  })

  it('is not done where it ends with another exit code', () => {
    const { result } = readingOf(agent, recorded(name), { exitCode: 3 })
    expect([result.marker.state, result.failure]).toEqual(['NONE', expect.stringContaining('exit code 3')])
  })

  it('takes no result out of what a tool printed', () => {
    const forged = JSON.stringify({ type: 'user', message: { content: recorded(name) } })
    const { result, progress } = readingOf(agent, `${forged}\n`, { exitCode: 1 })
    expect([result.marker.state, result.session, progress]).toEqual(['NONE', null, []])
  })

  it.each(['--settings={"hooks":{}}', '-c', '../../etc', 'a b', 'x'.repeat(200_000), 'a\u0000b'])(
    'takes nothing for a conversation that could be an option or no word at all: %.20j',
    (evil) => {
      const text = recorded(name).replaceAll(session, JSON.stringify(evil).slice(1, -1))
      expect(readingOf(agent, text).result).toMatchObject({ marker: { state: 'DONE' }, session: null })
    },
  )

  it('stores no number of tokens that is none', () => {
    const text = recorded(name).replaceAll(/"(input|output|input_tokens|output_tokens)":\d+/g, '"$1":1e308')
    const { usage } = readingOf(agent, text).result
    expect(
      Object.values(usage ?? {}).filter((value) => value !== null && !Number.isSafeInteger(value)),
    ).toEqual([])
  })

  it.each([
    ['', 0],
    ['{"type":', 1],
    ['null\n[]\n7\n{"type":"result"}\n{}', 1],
    [`{"type":"${'x'.repeat(100_000)}"}`, 1],
    ['\u0000\ufffd{"type":"error"}', 1],
  ])('stands what is none of its lines: %.20s', (output, exitCode) => {
    expect(readingOf(agent, output, { exitCode }).result.marker.state).toBe('NONE')
  })
})

describe('what went wrong', () => {
  // As the programs of these names print it; the texts are those of their providers.
  const codexFails = (message: string): string => JSON.stringify({ type: 'turn.failed', error: { message } })
  const piFails = (errorMessage: string): string =>
    JSON.stringify({
      type: 'message_end',
      message: { role: 'assistant', content: [], stopReason: 'error', errorMessage },
    })
  const openFails = (message: string, statusCode?: number): string =>
    JSON.stringify({ type: 'error', error: { name: 'APIError', data: { message, statusCode } } })
  const geminiFails = (message: string): string =>
    JSON.stringify({ type: 'result', status: 'error', error: { type: 'Error', message } })

  it.each<[string, string, AgentErrorKind]>([
    ['codex', codexFails('exceeded retry limit, last status: 429 Too Many Requests'), 'rate_limit'],
    ['codex', codexFails('unexpected status 401 Unauthorized: Incorrect API key provided'), 'auth'],
    ['codex', codexFails('unexpected status 503 Service Unavailable: '), 'overload'],
    ['codex', codexFails('stream disconnected before completion: idle timeout'), 'overload'],
    ['codex', codexFails("Codex ran out of room in the model's context window."), 'context'],
    ['codex', 'Error: No rollout found for conversation 01a2', 'session'],
    ['pi', piFails('429 {"type":"error","error":{"type":"rate_limit_error"}}'), 'rate_limit'],
    ['pi', piFails('529 {"type":"error","error":{"type":"overloaded_error"}}'), 'overload'],
    ['pi', piFails('401 {"type":"error","error":{"type":"authentication_error"}}'), 'auth'],
    ['pi', piFails('prompt is too long: 214096 tokens > 200000 maximum'), 'context'],
    ['pi', piFails('terminated: other side closed (UND_ERR_SOCKET)'), 'overload'],
    ['pi', 'No session found matching 01a2', 'session'],
    ['opencode', openFails('Too Many Requests', 429), 'rate_limit'],
    ['opencode', openFails('Overloaded', 529), 'overload'],
    ['opencode', openFails('invalid x-api-key', 401), 'auth'],
    ['opencode', 'Error: Session not found: ses_1', 'session'],
    ['gemini', geminiFails('got status: 429 RESOURCE_EXHAUSTED. {"error":{}}'), 'rate_limit'],
    ['gemini', geminiFails('got status: 503 UNAVAILABLE. {"error":{}}'), 'overload'],
    ['gemini', geminiFails('[API Error: terminated]'), 'overload'],
    ['gemini', geminiFails('API key not valid. Please pass a valid API key.'), 'auth'],
    ['gemini', geminiFails('Reached max session turns for this session.'), 'turns'],
    ['gemini', 'Error resuming session: No previous sessions found for this project.', 'session'],
    ['gemini', geminiFails('The input token count (2000000) exceeds the maximum'), 'context'],
  ])('%s: %s', (name, output, kind) => {
    const { result } = readingOf(named(name), output, { exitCode: 1 })
    expect([result.error, result.marker.state]).toEqual([kind, 'NONE'])
    expect(result.failure).toContain(' says: ')
  })

  // `streams/faults/AGENT.KIND.jsonl` is what each printed in a box where all its calls were answered with that fault, or its
  // conversation was gone, without what nobody reads.
  const folder = new URL('streams/faults/', import.meta.url)
  const exitCodes: Readonly<Record<string, number>> = {
    'gemini.auth': 145,
    'gemini.context': 144,
    'gemini.session': 42,
    'pi.auth': 0,
    'pi.context': 0,
    'pi.overload': 0,
    'pi.rate_limit': 0,
  }
  const faults = readdirSync(folder).map((file) => file.replace('.jsonl', ''))

  it.each([
    ['claude', 'context overload session'],
    ['codex', 'auth context overload rate_limit session'],
    ['gemini', 'auth context session'],
    ['opencode', 'auth context rate_limit session'],
    ['pi', 'auth context overload rate_limit session'],
  ])('is recorded of %s as %s', (name, kinds) => {
    const recorded = faults.filter((fault) => fault.startsWith(`${name}.`)).sort()
    expect(recorded).toEqual(kinds.split(' ').map((kind) => `${name}.${kind}`))
  })

  it('is recorded of each agent', () => {
    expect(new Set(faults.map((fault) => fault.split('.')[0]))).toEqual(
      new Set(known.map(({ name }) => name)),
    )
  })

  it.each(faults)('is told by what was printed: %s', (fault) => {
    const [name = '', kind] = fault.split('.')
    const output = readFileSync(new URL(`${fault}.jsonl`, folder), 'utf8')
    const { result } = readingOf(named(name), output, { exitCode: exitCodes[fault] ?? 1 })
    expect([result.error, result.marker.state]).toEqual([kind, 'NONE'])
    expect(result.failure).toContain(' says: ')
  })
})
