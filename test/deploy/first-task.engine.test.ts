import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { git } from '../support/repository.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'cofferdam-first-'))
const example = join(home, 'example')
afterAll(() => rmSync(home, { recursive: true, force: true }))

// What was built is run here, as the quickstart does. What does not compile is another check's matter.
beforeAll(() => {
  spawnSync('bash', ['-c', 'source deploy/setup.sh && build_sources'], { cwd: root })
})

const firstTask = (): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('bash', ['deploy/first-task.sh', example], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      COFFERDAM_DATA: join(home, 'data'),
      COFFERDAM_RUNTIME: join(home, 'run'),
    },
  })

it('the first task of the quickstart is applied in two steps, and again on the next run, until its work is merged', () => {
  for (const tasks of [1, 2]) {
    const { status, stdout, stderr } = firstTask()
    expect(stderr).not.toContain('was not applied')
    expect(status).toBe(0)
    expect(stdout).toMatch(/AssertionError: 474 != 475[^]*Step 2\/8[^]*APPLIED/)
    expect(stdout).toMatch(/^\+ {4}for cents, count in lines:$/m)

    // What a person has checked out is as it was; the work is on the branch.
    expect(git(example, 'status', '--porcelain', '--branch').trim()).toBe('## main')
    const branches = git(example, 'branch', '--list', 'cofferdam/*', '--format=%(refname)').trim().split('\n')
    expect(branches).toHaveLength(tasks)
    for (const branch of branches) {
      expect(git(example, 'rev-list', '--count', `main..${branch}`).trim()).toBe('2')
      expect(git(example, 'diff', '--name-only', `main...${branch}`).trim()).toBe('receipt.py')
    }
    if (tasks === 2) git(example, 'merge', '--quiet', '--ff-only', branches[0] ?? '')
  }
  const { status, stdout } = firstTask()
  expect([status, stdout]).toEqual([0, expect.stringContaining(`For another go: rm -r ${example}`)])
})
