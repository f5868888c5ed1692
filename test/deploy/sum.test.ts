import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const sum = fileURLToPath(new URL('../sum.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'cofferdam-sum-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, ...tests: readonly string[]): object => ({
  name,
  message: '',
  status: tests.every((status) => status === 'skipped') || tests.includes('failed') ? 'failed' : 'passed',
  assertionResults: tests.map((status) => ({ status })),
})
const report = (
  passed: number,
  failed: number,
  skipped: number,
  ...testResults: readonly object[]
): object => ({
  numTotalTests: passed + failed + skipped,
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: 0,
  testResults,
})

describe('the last line of test/all.sh', () => {
  it.each([
    ['all is well', report(3, 0, 0, file('a', 'passed')), [5, 0, 0], '8 passed, 0 failed', 0],
    ['some are skipped', report(3, 0, 2, file('a', 'passed')), [5, 0, 0], '8 passed, 0 failed, 2 skipped', 0],
    ['a test failed', report(3, 1, 0, file('a', 'failed')), [5, 0, 1], '8 passed, 1 failed', 1],
    ['a check failed', report(3, 0, 0, file('a', 'passed')), [4, 1, 0], '7 passed, 1 failed', 1],
    [
      'a file did not load',
      report(3, 0, 0, file('a', 'passed'), file('b')),
      [5, 0, 1],
      '8 passed, 1 failed',
      1,
    ],
    [
      'what a file needs is missing',
      report(3, 0, 3, file('a', 'passed', 'skipped'), file('b', 'skipped', 'skipped')),
      [5, 0, 1],
      '8 passed, 2 failed, 1 skipped',
      1,
    ],
    ['the runner failed besides', report(3, 0, 0, file('a', 'passed')), [5, 0, 1], '8 passed, 1 failed', 1],
    [
      'a process of tests died',
      report(3, 0, 0, file('a', 'passed'), file('b', 'passed', 'pending', 'pending')),
      [5, 0, 1],
      '8 passed, 2 failed',
      1,
    ],
    ['nothing ran', report(0, 0, 0), [5, 0, 0], '5 passed, 1 failed', 1],
    ['there is no report', null, [5, 0, 0], '5 passed, 1 failed', 1],
  ])('%s', (name, content, numbers, line, code) => {
    const path = join(folder, `${name}.json`)
    if (content !== null) writeFileSync(path, JSON.stringify(content))
    const ended = spawnSync(process.execPath, [sum, path, ...numbers.map(String)], { encoding: 'utf8' })
    expect(ended.stdout.trimEnd().split('\n').at(-1)).toBe(line)
    expect(ended.status).toBe(code)
  })
})
