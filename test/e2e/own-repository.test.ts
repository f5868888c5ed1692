import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { git } from '../support/repository.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

const root = join(import.meta.dirname, '../..')

describe('a real repository: this one', () => {
  // That setup fetches and the network is gone after it is walked in worktree.test.ts, in a smaller repository.
  it('is formatted anew by a real formatter and stands its own type check', { tags: ['long'] }, async () => {
    const place = mkdtempSync(join(tmpdir(), 'cofferdam-own-'))
    git(place, 'clone', '--quiet', '--no-hardlinks', root, 'clone')
    const repo = join(place, 'clone')
    const task = await plane.run({
      repo,
      goal: 'Format the domain for narrow screens',
      argv: sh('node_modules/.bin/prettier --write --print-width 70 "src/domain/*/*.ts"'),
      // The native module is not needed for the type check, and takes a minute to compile. The dashboard's check takes in what it
      // uses of the domain, and a fifth of the time of the whole.
      setup: 'npm ci --ignore-scripts --no-audit --no-fund',
      test: 'node node_modules/typescript-7/bin/tsc --noEmit --incremental false -p src/dashboard',
      minutes: 15,
      yes: true,
    })
    expect([task.status, task.halt, task.outcome]).toEqual(['APPLIED', null, 'tested'])
    const changed = git(repo, 'diff', '--name-only', 'HEAD', task.branch).trim().split('\n')
    expect(changed.length).toBeGreaterThan(5)
    expect(changed.filter((path) => !path.startsWith('src/domain/'))).toEqual([])
  })
})
