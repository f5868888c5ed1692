import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Branch, History, TaskPlace } from '../../src/domain/worktree.ts'
import { boxOf, commit, git, made, openLab, repository, taskOn, write, type Lab } from './lab.ts'

async function handedOver(lab: Lab, repo: string): Promise<{ task: TaskPlace; head: CommitId }> {
  const { worktrees } = lab
  const task = await taskOn(worktrees, repo)
  await worktrees.open(task)
  write(await boxOf(worktrees, task), { 'new.txt': 'new\n' })
  const { commit: head } = made(await worktrees.candidate(task, task.base.commit, 'x'))
  await worktrees.checkpoint(task, head)
  await worktrees.handover(task, head)
  return { task, head }
}

function branch(found: History['source']): Branch {
  if ('unreadable' in found) throw new Error(found.unreadable)
  return found
}

/** Removes an object of a repository that is in no pack. */
function lose(repo: string, object: string): void {
  rmSync(`${repo}/.git/objects/${object.slice(0, 2)}/${object.slice(2)}`)
}

test('a branch is read as far as the task has made it, and its commits beyond by their own bytes', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const { task, head } = await handedOver(lab, repo)
  git(repo, 'checkout', '-q', task.branch)
  const beyond = commit(repo, { 'more.txt': 'more\n' })
  lose(repo, git(repo, 'rev-parse', 'HEAD:more.txt'))
  const { tip, commits } = branch((await lab.worktrees.history(task, head)).source)
  expect(tip).toBe(beyond)
  expect(commits.map(({ id, sound }) => [id, sound])).toEqual([
    [beyond, true],
    [head, true],
  ])
  // What is the task's own is still held against its names.
  lose(repo, git(repo, 'rev-parse', `${head}:new.txt`))
  expect((await lab.worktrees.history(task, head)).source).toMatchObject({
    unreadable: expect.stringContaining('missing blob object') as string,
  })
})

test('of a branch that has gone on for long, the beginning is what is looked at', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const { task, head } = await handedOver(lab, repo)
  const count = 1200
  const stream = Array.from(
    { length: count },
    (_, at) =>
      `commit refs/heads/${task.branch}\ncommitter U <u@example.org> ${at} +0000\ndata 1\nx\n${at === 0 ? `from ${head}\n` : ''}\n`,
  )
  execFileSync('git', ['-C', repo, 'fast-import', '--quiet'], { input: stream.join('') })
  const { commits } = branch((await lab.worktrees.history(task, head)).source)
  expect(commits).toHaveLength(1000)
  expect(commits.at(-1)).toMatchObject({ id: head, parents: [task.base.commit], sound: true })
})

test('a branch that was moved back, or led elsewhere, is looked at as far as it is the task\u2019s', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const { task, head } = await handedOver(lab, repo)
  git(repo, 'update-ref', `refs/heads/${task.branch}`, task.base.commit)
  expect(branch((await lab.worktrees.history(task, head)).source)).toEqual({
    tip: task.base.commit,
    commits: [],
  })
  const other = commit(repo, { 'other.txt': 'x\n' })
  git(repo, 'update-ref', `refs/heads/${task.branch}`, other)
  expect(branch((await lab.worktrees.history(task, head)).source)).toMatchObject({
    tip: other,
    commits: [{ id: other }],
  })
})
