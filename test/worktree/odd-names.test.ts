import { execFileSync } from 'node:child_process'
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

// Of what all names have in common, each is moved and no other; that a checkout follows is asked of those that differ most.
const odd = ['-f', 'HEAD', 'a"b', '$(id)']
const others = ['feature/ä-b', "it's", '--delete', 'refs/heads/main', '`id`;x', 'main.txt', '@at']

it('branches are moved that are not checked out, whatever their names, and no other', async () => {
  const { task, head } = await appliedIn(lab, repo, { 'new.txt': 'new\n' })
  const names = [...odd, ...others]
  const refs = (): ReadonlyMap<string, string> =>
    new Map(
      git(repo, 'for-each-ref', '--format=%(refname) %(objectname)')
        .split('\n')
        .map((line) => [line.slice(0, -41), line.slice(-40)]),
    )
  const input = names.map((into) => `create refs/heads/${into} ${task.base.commit}\n`).join('')
  execFileSync('git', ['-C', repo, 'update-ref', '--stdin'], { input })
  const files = snapshot(repo)
  for (const into of names) {
    const before = refs()
    expect([into, await delivered(task, head, into)]).toEqual([into, { kind: 'moved' }])
    const after = refs()
    const moved = [...after].filter(([ref, tip]) => before.get(ref) !== tip).map(([ref]) => ref)
    expect([moved, after.size, snapshot(repo)]).toEqual([[`refs/heads/${into}`], before.size, files])
    expect(git(repo, 'show', `refs/heads/${into}:new.txt`)).toBe('new')
  }
})

/** What a checkout of the branch came to after the branch was moved. */
async function followed(into: string): Promise<readonly unknown[]> {
  const { task, head } = await appliedIn(lab, repo, { 'new.txt': 'new\n' })
  const ref = `refs/heads/${into}`
  git(repo, 'update-ref', ref, task.base.commit)
  git(repo, 'symbolic-ref', 'HEAD', ref)
  const moved = await delivered(task, head, into)
  return [moved, git(repo, 'status', '--porcelain'), readFileSync(join(repo, 'new.txt'), 'utf8')]
}

it.each(odd)('a checkout of the branch %j follows', async (into) => {
  expect(await followed(into)).toEqual([{ kind: 'moved' }, '', 'new\n'])
})
it.each(others)('a checkout of the branch %j follows', { tags: ['long'] }, async (into) => {
  expect(await followed(into)).toEqual([{ kind: 'moved' }, '', 'new\n'])
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
