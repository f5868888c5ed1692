import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readingOf } from '../agents/ended.ts'
import { acorn } from './acorn.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('the adapter of docs/agent-adapter.md', () => {
  const agent = acorn({ model: null, upstream: null })

  it('is that of acorn.ts, as if it lay in src/agents', () => {
    const [, shown = ''] = /^```ts\n([^]*?)^```$/m.exec(read('docs/agent-adapter.md')) ?? []
    const lying = read('test/deploy/acorn.ts')
      .replaceAll("'../../src/domain/", "'../domain/")
      .replaceAll("'../../src/agents/", "'./")
    expect(shown).toBe(lying)
  })

  it('starts its program without a key of ours, and goes on with a conversation', () => {
    const { argv, env } = agent.call({ name: 'acorn', argv: [] }, 's1')
    expect(argv.slice(-2)).toEqual(['--resume', 's1'])
    expect(env['ACORN_BASE_URL']).toBe('http://127.0.0.1:3128/anthropic')
    expect([agent.keeps('sessions/s1.jsonl'), agent.keeps('settings.json')]).toEqual([true, false])
  })

  it('reads what the program prints', () => {
    const lines = [
      { type: 'text', text: 'I look.' },
      { type: 'tool', name: 'write', input: { path: '/work/a.txt' } },
      { type: 'end', ok: true, session: 's1', text: 'Done.\nTASK_STATE: DONE', input: 10, output: 2 },
    ]
    const printed = `warning: old\n${lines.map((line) => JSON.stringify(line)).join('\n')}\n`
    const { result, progress } = readingOf(agent, printed)
    expect(progress).toEqual([
      { kind: 'line', text: 'warning: old' },
      { kind: 'said', text: 'I look.' },
      { kind: 'tool', tool: 'write', text: '/work/a.txt', paths: ['a.txt'] },
    ])
    expect(result).toMatchObject({ marker: { state: 'DONE' }, session: 's1', failure: null })
    expect(result.usage).toEqual({ inputTokens: 10, outputTokens: 2, costUsd: null })
  })

  it('says what kind of an error it was', () => {
    const end = { type: 'end', ok: false, session: 's1', text: 'status 429 Too many', input: 0, output: 0 }
    const { result } = readingOf(agent, JSON.stringify(end), { exitCode: 1 })
    expect(result).toMatchObject({ error: 'rate_limit', marker: { state: 'NONE' } })
  })
})
