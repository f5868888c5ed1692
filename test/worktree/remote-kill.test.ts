import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openRemotes } from '../../src/worktree/remote/open.ts'
import { openGitServer } from '../support/git-server.ts'
import { until } from '../support/until.ts'
import { author, commit, git, openLab, repository } from './lab.ts'
import { translate } from './translate.ts'

test('a process that is killed in the middle of a clone leaves nothing that is taken for whole', async () => {
  using lab = openLab()
  mkdirSync(join(lab.folder, 'far'))
  const far = repository(lab, { 'a.txt': 'one\n' }, 'far/shop')
  execFileSync('dd', ['if=/dev/urandom', `of=${far}/big`, 'bs=1M', 'count=2'], { stdio: 'ignore' })
  commit(far, {})
  await using server = await openGitServer(join(lab.folder, 'far'), null)
  server.manner = 'stalls'
  const url = server.url('shop')
  const mirrors = join(lab.data, 'mirrors')
  const halves = (): readonly string[] =>
    existsSync(mirrors) ? readdirSync(mirrors).filter((name) => name.endsWith('.new')) : []
  const comesIn = (): boolean =>
    halves().some((name) => {
      const packs = join(mirrors, name, 'objects/pack')
      return existsSync(packs) && readdirSync(packs).length > 0
    })

  const script = join(translate(lab), 'test/worktree/remote-clone.js')
  const child = spawn(process.execPath, [script, lab.data, url], { stdio: 'inherit' })
  await until(comesIn)
  child.kill('SIGKILL')
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  expect(halves()).toHaveLength(1)

  const away = { away: 'wait', fetchMs: 60_000, cloneMs: 60_000, mostMb: 100 } as const
  const remotes = openRemotes({
    data: lab.data,
    author,
    remotes: [{ name: 'shop', url, login: null, ssh: null, ...away }],
  })
  expect(remotes.state('shop').state).toBe('missing')
  const worktrees = lab.reopened({ remotes })
  await worktrees.sweep(new Set())
  expect(halves()).toEqual([])
  server.manner = 'serves'
  expect((await worktrees.inspect('shop', null)).commit).toBe(git(far, 'rev-parse', 'HEAD'))
  const mirror = join(mirrors, `${remotes.key('shop')}.git`)
  expect(git(mirror, 'fsck', '--strict')).not.toMatch(/missing|broken|error/)
  expect(readdirSync(mirrors)).toEqual([`${remotes.key('shop')}.git`])
})
