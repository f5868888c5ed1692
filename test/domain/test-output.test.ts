import { describe, expect, it } from 'vitest'
import type { BoxEnd, BoxResult } from '../../src/domain/box.ts'
import { cannotStart } from '../../src/domain/test-output.ts'

const result = (output: string, exitCode: number, end: BoxEnd = 'exited'): BoxResult => ({
  end,
  exitCode,
  output,
  outputBytes: output.length,
  truncated: false,
  startedAt: 0,
  endedAt: 1,
  peaks: { memoryMb: null, pids: null, cpuMs: null },
  message: null,
})

const rows: readonly [output: string, exitCode: number, starts: boolean][] = [
  ['ok 1 - adds\n', 0, true],
  ['not ok 1 - adds\n', 1, true],
  ['sh: 1: vitest: not found\n', 127, false],
  ['sh: 1: ./run.sh: Permission denied\n', 126, false],
  ["Error: Cannot find module 'vitest'\n", 1, false],
  ["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'hono' imported from /work/a.js\n", 1, false],
  ["Error: Cannot find module './missing.js'\n", 1, true],
  ["ModuleNotFoundError: No module named 'pytest'\n", 1, false],
  ['/usr/bin/python3: No module named pytest\n', 1, false],
  ['make: tsc: command not found\nmake: *** [check] Error 127\n', 2, false],
  ['cannot load such file -- rspec (LoadError)\n', 1, false],
  ['cannot load such file -- ./lib/mine (LoadError)\n', 1, true],
  ['AssertionError: page not found\n', 1, true],
  ["warning: Cannot find module 'fsevents'\nall fine\n", 0, true],
]

describe('a test command that cannot start', () => {
  it.each(rows)('%j with exit code %i starts: %s', (output, exitCode, starts) => {
    expect(cannotStart(result(output, exitCode), false) === null).toBe(starts)
  })

  it('says what to add', () => {
    expect(cannotStart(result('sh: 1: vitest: not found\n', 127), false)).toMatch(
      /vitest: not found\. .*--setup "npm ci"/,
    )
    expect(cannotStart(result('sh: 1: vitest: not found\n', 127), true)).toMatch(
      /Let the setup command install/,
    )
  })

  it('is not said of a test that was ended by its time', () => {
    expect(cannotStart(result('No module named x', 124, 'time'), false)).toBeNull()
  })
})
