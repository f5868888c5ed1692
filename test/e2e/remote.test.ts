import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAtRest } from '../../src/domain/task.ts'
import { forgeToken, testForge } from '../support/forge.ts'
import { openGitServer } from '../support/git-server.ts'
import { openTestPlane, requestOf, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { removeAll } from '../support/template.ts'

const token = 'a-token-for-the-remote'

it('a task on a repository by URL goes from its remote to a branch in its mirror, and no box has the token', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-far-'))
  mkdirSync(join(folder, 'srv'))
  const far = join(folder, 'srv/shop')
  renameSync(aRepository({ 'a.txt': 'one\n', 'test.sh': 'grep -q two a.txt\n' }), far)
  await using server = await openGitServer(join(folder, 'srv'), `git:${token}`)
  writeFileSync(join(folder, 'token'), token)
  const plane = await openTestPlane(`repositories:
  shop:
    url: ${server.url('shop')}
    login: { password: { file: ${join(folder, 'token')} } }
    test: sh test.sh
    budget: { steps: 3 }
`)
  try {
    const base = git(far, 'rev-parse', 'HEAD').trim()
    // What it does not name is as it is configured for that repository.
    const { test: _, ...request } = requestOf({
      repo: 'shop',
      argv: sh('echo two > a.txt; env > env.txt; cat .git/config >> env.txt 2>/dev/null; true'),
    })
    const { task: draft } = await plane.client.submit({ ...request, budget: {} })
    if (draft.status === 'DRAFT') await plane.client.act(draft.id, { act: 'approve' })
    const task = await plane.settled(draft.id)
    expect([task.status, task.halt, task.outcome]).toEqual(['APPLIED', null, 'tested'])
    expect(task.repository.path).toBe('shop')
    expect([task.base, task.budget.steps, task.test]).toEqual([
      { ref: 'main', commit: base },
      3,
      'sh test.sh',
    ])
    const mirror = join(plane.config.dataFolder, 'mirrors', `${task.repository.key}.git`)
    expect(git(mirror, 'show', `${task.branch}:a.txt`)).toBe('two\n')
    expect(git(mirror, 'show', `${task.branch}:env.txt`)).not.toContain(token)
    expect(git(far, 'branch', '--list', 'cofferdam/*')).toBe('')
    expect(await plane.client.diff(task.id, null)).toContain('+two')
    expect((await plane.client.verify(task.id, [])).findings).toEqual([])

    // What is new on the remote is where the next task begins.
    writeFileSync(join(far, 'b.txt'), 'b\n')
    git(far, 'add', '-A')
    git(far, 'commit', '-q', '-m', 'More')
    const next = await plane.run({ repo: 'shop', argv: sh('cat b.txt > a.txt; echo two >> a.txt') })
    expect([next.status, next.base.commit]).toEqual(['APPLIED', git(far, 'rev-parse', 'HEAD').trim()])
    expect((await plane.client.tasks({ repository: 'shop' })).map(({ id }) => id)).toEqual([next.id, task.id])

    const { repositories } = (await (await plane.get('/v1/repositories')).json()) as {
      repositories: readonly { path: string; tasks: number; remote: { state: string; error: null } }[]
    }
    expect(repositories).toMatchObject([{ path: 'shop', tasks: 2, remote: { state: 'cloned', error: null } }])
    const doctor = await plane.client.doctor()
    expect(doctor.find(({ name }) => name === 'repository shop')).toMatchObject({ state: 'ok' })
    await plane.client.act(task.id, { act: 'discard' })
    expect(git(mirror, 'branch', '--list', task.branch)).toBe('')

    // Neither the log nor the database nor a mirror.
    const found = spawnSync('grep', ['-rla', '-e', token, plane.config.dataFolder], { encoding: 'utf8' })
    expect([found.status, found.stdout]).toEqual([1, ''])
  } finally {
    await plane.close()
    removeAll(folder)
  }
}, 180_000)

it('is merged into the branch of its remote, which may say no, and taken out of it again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-far-'))
  mkdirSync(join(folder, 'srv'))
  const theirs = aRepository({ 'a.txt': 'one\n' })
  const far = join(folder, 'srv/shop')
  git(folder, 'clone', '-q', '--bare', theirs, far)
  git(far, 'config', 'http.receivepack', 'true')
  const hook = (text: string): void =>
    writeFileSync(join(far, 'hooks/pre-receive'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  await using server = await openGitServer(join(folder, 'srv'), `git:${token}`)
  writeFileSync(join(folder, 'token'), token)
  const plane = await openTestPlane(`repositories:
  shop:
    url: ${server.url('shop')}
    login: { password: { file: ${join(folder, 'token')} } }
`)
  const merge = { act: 'merge', into: null, how: null, accept: [] } as const
  const tip = (): string => git(far, 'rev-parse', 'main').trim()
  try {
    const test = 'test -f new.txt && test ! -e break.txt'
    const task = await plane.run({ repo: 'shop', argv: sh('echo new > new.txt'), test, yes: true })
    expect(task.status).toBe('APPLIED')
    const delivered = async (act: Parameters<typeof plane.client.act>[1]) => {
      await plane.client.act(task.id, act)
      return await plane.until(task.id, isAtRest)
    }
    // What has come there since is in what is tested.
    writeFileSync(join(theirs, 'break.txt'), 'x\n')
    git(theirs, 'add', '-A')
    git(theirs, 'commit', '-q', '-m', 'theirs')
    git(theirs, 'push', '-q', far, 'main')
    expect(await delivered(merge)).toMatchObject({ delivery: 'rejected', status: 'APPLIED' })
    git(theirs, 'rm', '-q', 'break.txt')
    git(theirs, 'commit', '-q', '-m', 'mended')
    git(theirs, 'push', '-q', far, 'main')
    const before = tip()

    hook('echo "no tasks on Fridays" >&2; exit 1')
    const refused = await delivered(merge)
    expect([refused.status, refused.delivery, tip()]).toEqual(['APPLIED', 'none', before])
    expect(refused.merge?.said).toMatch(
      /^Not merged: The remote of shop \(.*\) does not let main be moved \(it says: "no tasks on Fridays"\)\. /,
    )
    hook('exit 0')
    const merged = await delivered(merge)
    expect([merged.delivery, tip()]).toEqual(['merged', merged.merge?.commit])
    expect(git(far, 'log', '-1', '--format=%P', 'main').trim()).toBe(`${before} ${task.head}`)
    expect(git(far, 'branch', '--list', 'cofferdam/*')).toBe('')

    git(far, 'config', 'receive.denyNonFastForwards', 'true')
    const kept = await delivered({ act: 'undo' })
    expect([kept.delivery, tip()]).toEqual(['merged', merged.merge?.commit])
    expect(kept.merge?.said).toContain('`git revert` in a clone of it')
    git(far, 'config', 'receive.denyNonFastForwards', 'false')
    expect([(await delivered({ act: 'undo' })).delivery, tip()]).toEqual(['undone', before])
    const found = spawnSync('grep', ['-rla', '-e', token, plane.config.dataFolder], { encoding: 'utf8' })
    expect([found.status, found.stdout]).toEqual([1, ''])
  } finally {
    await plane.close()
    removeAll(folder)
  }
}, 180_000)

it('is proposed as a pull request on its forge, with nothing said of a remote', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-far-'))
  mkdirSync(join(folder, 'ada'))
  const far = join(folder, 'ada/tools.git')
  git(folder, 'clone', '-q', '--bare', aRepository({ 'a.txt': 'one\n' }), far)
  await using forge = await testForge('github', folder)
  const secret = join(folder, 'token')
  writeFileSync(secret, forgeToken)
  const plane = await openTestPlane(`repositories:
  tools:
    url: ${forge.remote('ada/tools.git')}
    login: { user: x-access-token, password: { file: ${secret} } }
    delivery:
      way: pull-request
      forge: { kind: github, address: "${forge.address}", project: ada/tools, token: { file: ${secret} }, network: loopback }
`)
  try {
    const task = await plane.run({ repo: 'tools', argv: sh('echo new > new.txt') })
    const main = git(far, 'rev-parse', 'main')
    await plane.client.act(task.id, { act: 'pull-request', into: null, draft: null, accept: [] })
    const open = await plane.until(task.id, isAtRest)
    expect([open.delivery, open.pull?.said]).toEqual(['pr_open', expect.stringContaining('#1 of ada/tools')])
    expect(forge.pulls).toMatchObject([{ branch: task.branch, into: 'main', state: 'open' }])
    expect([git(far, 'rev-parse', task.branch).trim(), git(far, 'rev-parse', 'main')]).toEqual([
      task.head,
      main,
    ])
  } finally {
    await plane.close()
    removeAll(folder)
  }
}, 180_000)
