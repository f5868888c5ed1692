import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { onDisk } from '../../src/worktree/disk.ts'
import { gitFailure } from '../../src/worktree/git.ts'
import { git, id, openLab, repository, taskOn } from './lab.ts'

test('B21 a full disk is said in one sentence, whoever met it', async () => {
  const enospc = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const error = await onDisk(() => Promise.reject(enospc)).catch((thrown: unknown) => thrown)
  const said = gitFailure('read-tree', 'error: unable to write file a.txt: No space left on device\n')
  const worker = gitFailure('read-tree', "error: unable to write file 'a.txt'\n")
  for (const failure of [error, said]) {
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({ code: 'disk', message: 'The disk of the data folder is full.' })
  }
  expect(worker).toMatchObject({
    code: 'disk',
    message: 'The disk takes no more of a checkout: it is full, or failing (see `dmesg`).',
  })
})

test('what git says is kept to its first words', () => {
  const failure = gitFailure('push', 'hint: try this\nfatal: no\nmore\n')
  expect(failure).toMatchObject({
    code: 'worktree',
    message: 'git push failed: fatal: no; more. Mend that, then try again.',
  })
})

test('of a worktree that cannot be laid out nothing is left, and it can be laid out later', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n', 'b.txt': 'b\n' })
  const task = await taskOn(lab.worktrees, repo)
  // Which brings the commit into the mirror.
  await lab.worktrees.open(await taskOn(lab.worktrees, repo, {}, 'b'))
  const blob = git(repo, 'rev-parse', 'main:b.txt')
  const object = join(
    lab.data,
    `mirrors/${task.repository.key}.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`,
  )
  renameSync(object, `${object}.away`)
  await expect(lab.worktrees.open(task)).rejects.toThrow(Failure)
  for (const kind of ['tasks', 'private', 'trees'])
    expect(existsSync(join(lab.data, kind, id('a')))).toBe(false)
  renameSync(`${object}.away`, object)
  await lab.worktrees.open(task)
  expect(existsSync(join(lab.data, 'tasks', id('a'), 'b.txt'))).toBe(true)
})
