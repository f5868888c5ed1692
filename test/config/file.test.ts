import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfigFile } from '../../src/config/file.ts'
import { Failure } from '../../src/domain/failure.ts'
import { scratch } from './support.ts'

function file(text: string): string {
  const path = join(scratch(), 'cofferdam.yaml')
  writeFileSync(path, text)
  return path
}

function problem(path: string, optional = false): string {
  try {
    readConfigFile(path, optional)
  } catch (error) {
    if (error instanceof Failure && error.code === 'bad_config') return error.message
    throw error
  }
  return 'none'
}

describe('what cannot be used is said with its line', () => {
  test.each([
    ['an unknown key', 'concurrency: 3\ncolour: red\n', 'Line 2: there is no key "colour": remove it'],
    [
      'an unknown key inside',
      'task:\n  steps: 3\n\n  hours: 3\n',
      'Line 4: there is no key "hours" in "task"',
    ],
    [
      'an unknown key by a repository',
      'repositories:\n  /a:\n    tset: x\n',
      'Line 3: there is no key "tset" in',
    ],
    [
      'a key with an underscore',
      'http:\n  listen: 7878\n  proxy_tls: true\n',
      'Line 3: there is no key "proxy_tls" in "http": remove it or correct the spelling, as in "proxyTls"',
    ],
    ['a wrong value', '# hi\ntask:\n  steps: 0\n', 'Line 3: "task.steps": A task needs at least 1 step'],
    [
      'a negative budget',
      'task:\n  minutes: -5\n',
      'Line 2: "task.minutes": The time budget has to be more than 0',
    ],
    [
      'a wrong item of a list',
      'policy:\n  deny:\n    - ok\n    - "!no"\n',
      'Line 4: "policy.deny.1": The pattern "!no" begins with "!"',
    ],
    [
      'an agent that there is none of',
      'task:\n  agent: { name: claude, fallback: [foo] }\n',
      'Line 2: "task.agent.fallback.0": An agent is one of command, claude, codex, gemini, opencode, pi.',
    ],
    ['a wrong shape', 'task: 7\n', 'Line 1: "task": '],
    ['a wrong log level', 'log:\n  level: loud\n', 'Line 2: "log.level": '],
    ['a box of root', 'box:\n  uid: 0\n', 'Line 2: "box.uid": Boxes do not run as root'],
    ['a duplicate key', 'data: a\ndata: b\n', 'Line 2: Map keys must be unique'],
    ['broken YAML', 'data: [a\ntask: {\n', 'Line '],
    ['a scalar', 'hello\n', 'expected object'],
  ])('%s', (_name, text, expected) => {
    const path = file(text)
    const message = problem(path)
    expect(message).toContain(`The configuration ${path} cannot be used. `)
    expect(message.toLowerCase()).toContain(expected.toLowerCase())
    expect(message).toMatch(/[.!]$/)
    expect(message).not.toContain('\n')
  })

  test('all of it at once', () => {
    const message = problem(file('colour: red\ntask:\n  steps: 0\n  hours: 1\n'))
    expect(message).toMatch(/Line 3: .*Line 4: .*Line 1: |Line 1: .*Line 3: /)
    expect(message.match(/[Ll]ine \d/g)).toHaveLength(3)
  })

  test('a file that is not there', () => {
    const path = join(scratch(), 'none.yaml')
    expect(problem(path)).toMatch(/cannot be read \(ENOENT.*\): name another\.$/)
    expect(readConfigFile(path, true)).toBeNull()
  })

  test('a folder', () => {
    expect(problem(scratch(), true)).toContain('cannot be read')
  })
})

test.each(['', '# nothing\n', '---\n', '{}\n'])('%j says nothing, and that is fine', (text) => {
  expect(readConfigFile(file(text), false)).toMatchObject({
    concurrency: 2,
    task: {},
    log: { level: 'info' },
  })
})

test('an alias bomb is refused', () => {
  const levels = Array.from({ length: 12 }, (_, index) => {
    const inner = index === 0 ? '"x"' : `*a${index - 1}`
    return `a${index}: &a${index} [${Array.from({ length: 10 }, () => inner).join(', ')}]`
  })
  expect(() => readConfigFile(file(levels.join('\n')), false)).toThrow(Failure)
})
