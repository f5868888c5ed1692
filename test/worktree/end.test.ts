import { execFileSync } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { boxOf, openLab, repository, taskOn, write } from './lab.ts'

/** Files of git that are half made. */
function halfMade(folder: string): string {
  const args = [folder, '(', '-name', 'tmp_*', '-o', '-name', '*.lock', ')']
  return execFileSync('find', args, { encoding: 'utf8' })
}

test('a stop ends git at work, and the task goes on in the same process', async () => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, { 'a.txt': 'a\n' }))
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  write(box, { 'big.bin': '', 'b.txt': 'b\n' })
  truncateSync(`${box}/big.bin`, 8 * 2 ** 30)
  const stop = new AbortController()
  const under = lab.worktrees
    .candidate(task, task.base.commit, 'x', stop.signal)
    .catch((error: unknown) => error)
  while (halfMade(`${lab.data}/mirrors/${task.repository.key}.git`) === '') await sleep(20)
  const before = performance.now()
  stop.abort()
  expect(await under).toMatchObject({ message: expect.stringContaining('was ended') as string })
  expect(performance.now() - before).toBeLessThan(2000)
  // No git is left that works on it.
  const commands = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  expect(commands.split('\n').filter((line) => line.includes(box))).toEqual([])
  truncateSync(`${box}/big.bin`, 0)
  expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
  const made = await lab.worktrees.candidate(task, task.base.commit, 'x', new AbortController().signal)
  expect(made).toMatchObject({ kind: 'made', stat: { files: 2 } })
})

test('the end of the process does not wait for git to store a file of gigabytes, and leaves nothing of it', async () => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, { 'a.txt': 'a\n' }))
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  write(box, { 'big.bin': '' })
  truncateSync(`${box}/big.bin`, 8 * 2 ** 30)
  const under = lab.worktrees.candidate(task, task.base.commit, 'x').catch((error: unknown) => error)
  const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
  while (halfMade(mirror) === '') await sleep(20)
  const before = performance.now()
  lab.worktrees.end()
  expect(await under).toMatchObject({
    code: 'worktree',
    message: expect.stringContaining('git update-index was ended') as string,
  })
  expect(performance.now() - before).toBeLessThan(5000)
  // What is started later is not started at all.
  await expect(lab.worktrees.diff(task, task.base.commit, task.base.commit)).rejects.toThrow(/was ended/)
  // The next process goes on.
  const again = lab.reopened()
  await again.sweep(new Set())
  expect(halfMade(mirror)).toBe('')
  await again.open(task)
  await again.restore(task, task.base.commit)
  expect(halfMade(lab.data)).toBe('')
  expect(await again.verify(task, task.base.commit)).toEqual([])
})
