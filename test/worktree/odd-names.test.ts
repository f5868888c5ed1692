import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Moved, TaskPlace } from '../../src/domain/worktree.ts'
import { appliedIn, boxOf, git, type Lab, made, openLab, repository, snapshot, taskOn } from './lab.ts'

// Branches and files with names that mean something to somebody.

let lab: Lab
let repo: string
beforeEach(() => {
  lab = openLab()
  repo = repository(lab, { 'a.txt': 'one\n', 'b.txt': 'two\n' })
})
afterEach(() => lab[Symbol.dispose]())

async function delivered(task: TaskPlace, head: CommitId, into: string): Promise<Moved> {
  const { worktrees } = lab
  const wish = { into, how: 'merge', since: task.base.commit, at: Date.now(), message: 'Merge it\n' } as const
  const merged = await worktrees.merge(task, head, wish)
  if (merged.kind !== 'made') throw new Error(JSON.stringify(merged))
  return await worktrees.move(task, { into, from: merged.from, to: merged.commit, back: false })
}

it.each([
  'feature/ä-b',
  "it's",
  '-f',
  '--delete',
  'HEAD',
  'refs/heads/main',
  'a"b',
  '$(id)',
  '`id`;x',
  'main.txt',
  '@at',
])('the branch %j is moved, checked out or not, and no other', async (into) => {
  const { task, head } = await appliedIn(lab, repo, { 'new.txt': 'new\n' })
  const ref = `refs/heads/${into}`
  git(repo, 'update-ref', ref, task.base.commit)
  const others = (): string =>
    git(repo, 'for-each-ref', '--format=%(refname) %(objectname)')
      .split('\n')
      .filter((line) => !line.startsWith(`${ref} `))
      .join('\n')
  const before = [others(), snapshot(repo)]
  expect(await delivered(task, head, into)).toEqual({ kind: 'moved' })
  expect(git(repo, 'show', `${ref}:new.txt`)).toBe('new')
  expect([others(), snapshot(repo)]).toEqual(before)
  // Now with a checkout that has it.
  git(repo, 'update-ref', ref, task.base.commit)
  git(repo, 'symbolic-ref', 'HEAD', ref)
  expect(await delivered(task, head, into)).toEqual({ kind: 'moved' })
  expect([git(repo, 'status', '--porcelain'), readFileSync(join(repo, 'new.txt'), 'utf8')]).toEqual([
    '',
    'new\n',
  ])
})

it('a file whose name changes in its case alone follows, forward and back', async () => {
  const { worktrees } = lab
  const task = await taskOn(worktrees, repo)
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  renameSync(join(box, 'a.txt'), join(box, 'A.txt'))
  const { commit: head } = made(await worktrees.candidate(task, task.base.commit, 'step 1\n'))
  await worktrees.checkpoint(task, head)
  await worktrees.handover(task, head)
  const wish = {
    into: 'main',
    how: 'squash',
    since: task.base.commit,
    at: Date.now(),
    message: 'Move it\n',
  } as const
  const merged = await worktrees.merge(task, head, wish)
  if (merged.kind !== 'made') throw new Error(JSON.stringify(merged))
  const { from, commit: to } = merged
  expect(await worktrees.move(task, { into: 'main', from, to, back: false })).toEqual({ kind: 'moved' })
  expect([git(repo, 'status', '--porcelain'), Object.keys(snapshot(repo))]).toEqual(['', ['A.txt', 'b.txt']])
  expect(await worktrees.move(task, { into: 'main', from: to, to: from, back: true })).toEqual({
    kind: 'moved',
  })
  expect([git(repo, 'status', '--porcelain'), Object.keys(snapshot(repo))]).toEqual(['', ['a.txt', 'b.txt']])
})

it('a submodule stays what it is beside work that follows', async () => {
  const inner = repository(lab, { 'inner.txt': 'i\n' }, 'inner')
  const tip = git(inner, 'rev-parse', 'HEAD')
  git(repo, 'update-index', '--add', '--cacheinfo', `160000,${tip},lib`)
  git(repo, 'commit', '-q', '-m', 'A submodule')
  git(lab.folder, 'clone', '-q', inner, join(repo, 'lib'))
  writeFileSync(join(repo, 'lib', 'mine.txt'), 'mine\n')
  const { task, head } = await appliedIn(lab, repo, { 'new.txt': 'new\n' })
  expect(await delivered(task, head, 'main')).toEqual({ kind: 'moved' })
  expect(git(repo, 'ls-tree', 'main', 'lib')).toContain(`160000 commit ${tip}`)
  expect([
    readFileSync(join(repo, 'lib', 'mine.txt'), 'utf8'),
    git(join(repo, 'lib'), 'rev-parse', 'HEAD'),
  ]).toEqual(['mine\n', tip])
  expect(readFileSync(join(repo, 'new.txt'), 'utf8')).toBe('new\n')
})
