import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { HostPath } from '../../src/domain/brand.ts'
import { removeMeanwhile, throwAway } from '../../src/worktree/throw-away.ts'

it('follows no symlink that a process standing in the folder swaps in meanwhile', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cofferdam-throw-away-'))
  const decoy = join(root, 'decoy')
  const folder = join(root, 'folder')
  mkdirSync(decoy)
  writeFileSync(join(decoy, 'kept.txt'), 'kept')
  // It stays in the folder when that is moved into the trash. Where it outdoes both ways of removing, it goes on to the next
  // folder after a while: what it leaves is a sweep's.
  const swaps = `const { renameSync, writeSync } = require('node:fs')
     const end = Date.now() + 20_000
     while (Date.now() < end)
       try {
         process.chdir(${JSON.stringify(folder)})
         for (let swaps = 0; swaps < 20_000; swaps += 1) {
           renameSync('deep', 'aside'); renameSync('link', 'deep')
           renameSync('deep', 'link'); renameSync('aside', 'deep')
           if (swaps === 0) writeSync(1, '.')
         }
       } catch {}`
  const swapper = spawn(process.execPath, ['-e', swaps], { stdio: ['ignore', 'pipe', 'inherit'] })
  // A dot for each folder in which it has swapped.
  let folders = 0
  swapper.stdout.on('data', (dots: Buffer) => (folders += dots.length))
  try {
    await once(swapper, 'spawn')
    const enough = Date.now() + 10_000
    // A round takes 10 ms on an idle machine and ten times that on a busy one: some fifty of them find a removal that follows.
    for (let round = 0; round < 250 && (round < 50 || Date.now() < enough); round += 1) {
      const made = join(root, 'made')
      mkdirSync(join(made, 'deep'), { recursive: true })
      for (let file = 0; file < 5; file += 1) writeFileSync(join(made, `deep/${file}`), '')
      symlinkSync(decoy, join(made, 'link'))
      renameSync(made, folder)
      const before = folders
      const hasSwapped = (): boolean => folders > before
      for (let waited = 0; !hasSwapped() && waited < 200; waited += 1) await sleep(1)
      throwAway(root as HostPath, folder as HostPath)
      expect(existsSync(folder)).toBe(false)
    }
    expect(folders).toBeGreaterThan(40)
    swapper.kill()
    if (swapper.exitCode === null) await once(swapper, 'exit')
    for (const left of readdirSync(join(root, 'trash')))
      removeMeanwhile(join(root, 'trash', left) as HostPath)
    await expect.poll(() => readdirSync(join(root, 'trash')), { timeout: 20_000 }).toEqual([])
    expect(readdirSync(decoy)).toEqual(['kept.txt'])
  } finally {
    swapper.kill()
    rmSync(root, { recursive: true, force: true })
  }
})

it('what is small is gone at once, with all its folders', () => {
  const data = mkdtempSync(join(tmpdir(), 'cofferdam-small-')) as HostPath
  try {
    for (const name of ['a/b/c', 'a/d', 'e']) mkdirSync(join(data, 'folder', name), { recursive: true })
    for (const name of ['x', 'a/b/c/x', 'a/\u00e9']) writeFileSync(join(data, 'folder', name), 'x')
    symlinkSync('/etc', join(data, 'folder/a/b/link'))
    throwAway(data, `${data}/folder` as HostPath)
    // A process would have had no time for it.
    expect(readdirSync(data)).toEqual(['trash'])
    expect(readdirSync(join(data, 'trash'))).toEqual([])
  } finally {
    rmSync(data, { recursive: true })
  }
})
