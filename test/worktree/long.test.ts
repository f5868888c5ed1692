import { readFileSync, statSync, truncateSync } from 'node:fs'
import { expect, test } from 'vitest'
import { boxOf, made, openLab, repository, taskOn, write } from './lab.ts'

const files = {
  'a.txt': 'a\n',
  'empty.txt': '',
  'src/b.txt': 'b\n',
  '.gitignore': '*.log\n',
  'AGENTS.md': 'x\n',
}
const tebibyte = 2 ** 40

const table: readonly { name: string; path: string; length: number; why: string }[] = [
  { name: 'a new file', path: 'src/big.bin', length: tebibyte, why: 'longer than 10240 MiB' },
  { name: 'an ignored file', path: 'big.log', length: tebibyte, why: 'longer than 10240 MiB' },
  { name: 'a file of the base', path: 'a.txt', length: tebibyte, why: 'longer than 10240 MiB' },
  // Its length in an index is the same.
  { name: 'an empty file of the base', path: 'empty.txt', length: tebibyte, why: 'longer than 10240 MiB' },
  { name: 'ignore rules', path: '.gitignore', length: tebibyte, why: 'longer than 1 MiB' },
  { name: 'new ignore rules', path: 'src/.gitignore', length: 8 * 2 ** 30, why: 'longer than 1 MiB' },
  { name: 'attributes', path: '.gitattributes', length: 8 * 2 ** 30, why: 'longer than 1 MiB' },
]

test.each(table)(
  'A113 $name with holes is refused by name, and never read',
  async ({ path, length, why }) => {
    using lab = openLab()
    const { worktrees } = lab
    const task = await taskOn(worktrees, repository(lab, files))
    await worktrees.open(task)
    const box = await boxOf(worktrees, task)
    write(box, { [path]: '', 'ok.txt': 'ok\n' })
    truncateSync(`${box}/${path}`, length)
    const before = performance.now()
    expect(await worktrees.verify(task, task.base.commit)).toEqual([])
    const result = made(await worktrees.candidate(task, task.base.commit, 'x'))
    expect(result).toMatchObject({
      changed: true,
      stat: { files: 1 },
      leftOut: [{ path, why, undone: true }],
    })
    await worktrees.restore(task, result.commit)
    expect(performance.now() - before).toBeLessThan(20_000)
    const known: Readonly<Record<string, string>> = files
    if (known[path] !== undefined) expect(readFileSync(`${box}/${path}`, 'utf8')).toBe(known[path])
    else expect(statSync(`${box}/${path}`, { throwIfNoEntry: false })).toBe(undefined)
    expect(await worktrees.verify(task, result.commit)).toEqual([])
  },
)

test('A113 a long file is judged by its name like any other', async () => {
  using lab = openLab()
  const { worktrees } = lab
  const task = await taskOn(worktrees, repository(lab, files))
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  for (const path of ['AGENTS.md', '.env.local', '.git']) {
    write(box, { [path]: '' })
    truncateSync(`${box}/${path}`, tebibyte)
  }
  const said = await worktrees.verify(task, task.base.commit)
  expect(said.map(({ what, kind, path }) => `${what} ${kind} ${path}`).sort()).toEqual([
    'changed readonly AGENTS.md',
    'created deny .env.local',
    'mask deny .git',
  ])
  await worktrees.restore(task, task.base.commit)
  expect(readFileSync(`${box}/AGENTS.md`, 'utf8')).toBe('x\n')
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
})
