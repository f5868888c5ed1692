import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLab, repository } from './lab.ts'
import { translate } from './translate.ts'

test.runIf(process.geteuid?.() === 0)(
  'root becomes a plain user: it works, also where the agent took all rights away',
  () => {
    using lab = openLab()
    const foreign = repository(lab, { 'a.txt': 'a\n' })
    const home = join(lab.folder, 'home')
    mkdirSync(home)
    chownSync(home, 12_345, 12_345)
    const script = join(translate(lab), 'test/worktree/plain-user.js')
    expect(execFileSync(process.execPath, [script, home, foreign], { encoding: 'utf8' })).toBe('done\n')
  },
)
