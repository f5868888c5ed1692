import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
