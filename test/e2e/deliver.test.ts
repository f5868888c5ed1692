import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isAtRest, type Task } from '../../src/domain/task.ts'
import { boxesOf } from '../support/boxes.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

const merge = { act: 'merge', into: null, how: null, accept: [] } as const

const delivered = (task: Task): Promise<Task> => plane.until(task.id, isAtRest)

/** Somebody goes on in main, which is checked out. */
function moves(repo: string, name: string, content = 'x\n'): void {
  writeFileSync(join(repo, name), content)
  git(repo, 'add', '-A')
  git(repo, 'commit', '-q', '-m', 'theirs')
}

it('what is merged is tested in a box of its own, without anything denied, before the branch and its clean checkout move', async () => {
  const repo = aRepository({ 'a.txt': 'one\n' })
  const test = 'ls -A && test ! -e config.yaml && touch junk && test -f new.txt && test ! -e break.txt'
  const task = await plane.run({ repo, argv: sh('echo new > new.txt'), test, yes: true })
  expect(task.status).toBe('APPLIED')
  moves(repo, 'config.yaml', 'password: 1\n')
  moves(repo, 'break.txt')
  const before = git(repo, 'rev-parse', 'main')

  await plane.client.act(task.id, merge, task.revision)
  const rejected = await delivered(task)
  expect([rejected.delivery, git(repo, 'rev-parse', 'main')]).toEqual(['rejected', before])
  expect(rejected.merge?.said).toContain('the test fails on main with this work (exit code 1)')

  git(repo, 'rm', '-q', 'break.txt')
  git(repo, 'commit', '-q', '-m', 'mended')
  await plane.client.act(task.id, merge)
  const merged = await delivered(task)
  expect(merged.merge?.said).toMatch(/^Merged into main/)
  expect(git(repo, 'status', '--porcelain')).toBe('')
  expect([existsSync(join(repo, 'new.txt')), existsSync(join(repo, 'junk'))]).toEqual([true, false])
  const row = (await plane.client.checkpoints(task.id)).findLast(({ step }) => step === 0)
  expect(row?.test).toMatchObject({ passed: true, tail: 'a.txt\nnew.txt\n' })
  expect(boxesOf(task.id)).toEqual([])
  const { holds, findings } = await plane.client.verify(task.id, [])
  expect([holds, findings]).toEqual([true, []])

  await plane.client.act(task.id, { act: 'undo' })
  expect((await delivered(task)).delivery).toBe('undone')
  expect([existsSync(join(repo, 'new.txt')), git(repo, 'status', '--porcelain')]).toEqual([false, ''])
})

it('a test box that is under way when the process ends is taken over, and the merge comes about', async () => {
  const repo = aRepository({ 'a.txt': 'one\n' })
  const task = await plane.run({
    repo,
    argv: sh('echo new > new.txt'),
    test: '[ -e theirs.txt ] && sleep 4; true',
  })
  moves(repo, 'theirs.txt')
  await plane.client.act(task.id, merge)
  await plane.until(task.id, ({ phase }) => phase === 'merge_test' && boxesOf(task.id).length > 0)
  await plane.reopen()
  const merged = await delivered(task)
  expect(merged.merge?.said).toMatch(/^Merged into main/)
  const begun = (await plane.client.events(task.id, 0)).filter(({ type }) => type === 'merge_begun')
  expect(begun).toHaveLength(1)
})

it('a merge that nobody looks on at is not made by a process that works on one task alone', async () => {
  const repo = aRepository({ 'a.txt': 'one\n' })
  const [left, followed] = [
    await plane.run({ repo, argv: sh('echo 1 > 1.txt') }),
    await plane.run({ repo, argv: sh('echo 2 > 2.txt') }),
  ]
  await plane.reopen('own')
  await plane.client.act(left.id, merge)
  await plane.client.act(followed.id, merge)
  await plane.client.attend(followed.id)
  expect((await delivered(followed)).delivery).toBe('merged')
  expect((await plane.client.task(left.id)).phase).toBe('merge')
  await plane.reopen()
  expect((await delivered(left)).delivery).toBe('merged')
})

it('of two tasks on the same lines the second is a conflict, which is told with its paths', async () => {
  const repo = aRepository({ 'a.txt': 'one\n' })
  const [one, two] = await Promise.all([
    plane.run({ repo, argv: sh('echo 1 > a.txt') }),
    plane.run({ repo, argv: sh('echo 2 > a.txt') }),
  ])
  await plane.client.act(one.id, merge)
  await delivered(one)
  await plane.client.act(two.id, merge)
  const conflict = await delivered(two)
  expect([conflict.delivery, git(repo, 'show', 'main:a.txt')]).toEqual(['conflict', '1\n'])
  expect(conflict.merge?.said).toContain('have both changed a.txt')
  await expect(plane.client.diff(two.id, null, 'main')).rejects.toThrow(/both changed a\.txt/)
})

it('what is marked takes each mark named, by button or by command', async () => {
  const repo = aRepository({ 'a.txt': 'one\n', 'package.json': '{}\n' })
  const task = await plane.run({ repo, argv: sh(`echo '{"scripts":{"x":"y"}}' > package.json`) })
  await expect(plane.client.act(task.id, merge)).rejects.toThrow(/--accept scripts/)
  await plane.client.act(task.id, { ...merge, accept: ['scripts'] })
  const merged = await delivered(task)
  expect(merged.delivery).toBe('merged')
  const decided = (await plane.client.events(task.id, 0)).find(({ type }) => type === 'merge_decided')
  expect(decided?.text).toBe('To be merged into main. Accepted with it: scripts.')
})
