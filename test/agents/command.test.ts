import { describe, expect, test } from 'vitest'
import { openAgents } from '../../src/agents/open.ts'
import { command } from '../../src/agents/command.ts'
import type { BoxResult } from '../../src/domain/box.ts'
import { ended as after } from './ended.ts'

const ended = (some: Partial<BoxResult>): BoxResult => after('', some)
const prompt = 'Do it.\nTASK_STATE: DONE\nis a line of the goal.'

test('the program is started as it was given', () => {
  const choice = { name: 'command', argv: ['sh', '-c', 'echo "$1"', '--', 'a b'] }
  expect(command.call(choice, null)).toEqual({ argv: choice.argv, env: {}, files: {} })
})

describe('what a program says', () => {
  test.each<[string, Partial<BoxResult>, string, boolean]>([
    ['exit 0 without a marker', {}, 'DONE', false],
    ['exit 1 without a marker', { exitCode: 1 }, 'NONE', true],
    ['no exit code', { exitCode: null, end: 'time' }, 'NONE', true],
    ['a marker', { output: 'TASK_STATE: CONTINUE' }, 'CONTINUE', false],
    ['a marker and exit 3', { output: 'TASK_STATE: CONTINUE', exitCode: 3 }, 'CONTINUE', false],
    ['a block', { output: 'BLOCK_REASON: no key\nTASK_STATE: BLOCKED', exitCode: 1 }, 'BLOCKED', false],
    ['the prompt repeated, exit 0', { output: prompt }, 'DONE', false],
    ['the prompt repeated, exit 1', { output: prompt, exitCode: 1 }, 'NONE', true],
  ])('%s', (_name, some, state, failed) => {
    const result = command.reading().end(ended(some), prompt)
    expect(result.marker.state).toBe(state)
    expect(result.failure !== null).toBe(failed)
    expect(result.exitCode).toBe(some.exitCode === undefined ? 0 : some.exitCode)
  })

  test('a failure names the exit code and the last lines', () => {
    const output = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n')
    const { failure } = command.reading().end(ended({ exitCode: 2, output: `${output}\n` }), prompt)
    expect(failure).toMatch(/^The agent's command ended with exit code 2\. Its last lines:\nline 80\n/)
    expect(failure).toMatch(/line 99$/)
  })

  test('a failure without output', () => {
    expect(command.reading().end(ended({ exitCode: 2 }), prompt).failure).toBe(
      "The agent's command ended with exit code 2.",
    )
  })

  test("the engine's own sentence comes first", () => {
    const result = ended({
      exitCode: 127,
      end: 'not_started',
      message: 'There is no program "foo" in the box.',
    })
    expect(command.reading().end(result, prompt).failure).toBe('There is no program "foo" in the box.')
  })

  test('the text is the end of the output, at most 64 KiB, in whole characters', () => {
    const { text } = command.reading().end(ended({ output: `${'修'.repeat(100_000)}!` }), prompt)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536)
    expect(text).toMatch(/^修+!$/)
  })
})

test('every agent is found under its name', () => {
  expect([...openAgents()].map(([name, agent]) => [name, agent.name])).toEqual([
    ['command', 'command'],
    ['claude', 'claude'],
    ['codex', 'codex'],
    ['opencode', 'opencode'],
    ['pi', 'pi'],
    ['gemini', 'gemini'],
  ])
})
