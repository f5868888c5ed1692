import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { author, boxOf, made, openLab, repository, taskOn, write, type Lab } from './lab.ts'

const files = { 'a.txt': 'a\n', 'src/b.txt': 'b\n', '.env': 'SECRET=1\n', 'sub/config.yaml': 'SECRET=2\n' }

/** Git as it runs in the box: the private repository over the worktree. */
async function inBox(lab: Lab, task: TaskPlace, ...args: readonly string[]): Promise<string> {
  const gitDir = await lab.worktrees.materials(task).locate({ kind: 'git' })
  const box = await boxOf(lab.worktrees, task)
  const all = ['-c', 'safe.directory=*', `--git-dir=${gitDir}`, `--work-tree=${box}`, ...args]
  return execFileSync('git', all, {
    encoding: 'utf8',
    cwd: box,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
  }).trim()
}

async function opened(lab: Lab): Promise<TaskPlace> {
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  return task
}

test('the box sees one clean commit of what it may see, and can work with it', async () => {
  using lab = openLab()
  const task = await opened(lab)
  expect(await inBox(lab, task, 'status', '--porcelain')).toBe('')
  expect(await inBox(lab, task, 'log', '--format=%an')).toBe(author.name)
  expect(await inBox(lab, task, 'branch', '--show-current')).toBe('work')
  expect(await inBox(lab, task, 'ls-files')).toBe('a.txt\nsrc/b.txt')
  // What the policy denies is nowhere among its objects.
  const objects = await inBox(lab, task, 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype)')
  expect(objects.split('\n').sort()).toEqual(['blob', 'blob', 'commit', 'tree', 'tree'])
  const box = await boxOf(lab.worktrees, task)
  write(box, { '.env': '', 'src/.env': '', 'c.txt': 'c\n', '.env.example': 'x\n' })
  await inBox(lab, task, 'add', '-A')
  await inBox(lab, task, 'commit', '-q', '-m', 'from the box')
  expect(await inBox(lab, task, 'show', '--format=', '--name-only')).toBe('.env.example\nc.txt')
  await inBox(lab, task, 'gc', '-q')
  expect(await inBox(lab, task, 'fsck')).toBe('')
})

const damage: readonly { name: string; act: (gitDir: string) => void }[] = [
  { name: 'nothing', act: () => undefined },
  { name: 'packs removed', act: (gitDir) => rmSync(`${gitDir}/objects/pack`, { recursive: true }) },
  { name: 'everything removed', act: (gitDir) => rmSync(gitDir, { recursive: true }) },
  {
    name: 'packs overwritten',
    act: (gitDir) => {
      for (const name of readdirSync(`${gitDir}/objects/pack`)) {
        chmodSync(`${gitDir}/objects/pack/${name}`, 0o644)
        writeFileSync(`${gitDir}/objects/pack/${name}`, 'x')
      }
    },
  },
  {
    name: 'configuration that would run something',
    act: (gitDir) =>
      write(gitDir, { config: '[core]\n\tfsmonitor = touch /tmp/pwned\n', 'hooks/post-checkout': 'x' }),
  },
  {
    name: 'a symlink in place of the objects',
    act: (gitDir) => {
      rmSync(`${gitDir}/objects`, { recursive: true })
      execFileSync('ln', ['-s', '/tmp', `${gitDir}/objects`])
    },
  },
  { name: 'folders without rights', act: (gitDir) => chmodSync(`${gitDir}/objects`, 0) },
]

test.each(damage)('after a step that left $name, the next starts clean', async ({ act }) => {
  using lab = openLab()
  const task = await opened(lab)
  const box = await boxOf(lab.worktrees, task)
  write(box, { 'c.txt': 'c\n' })
  await inBox(lab, task, 'add', '-A')
  await inBox(lab, task, 'commit', '-q', '-m', 'from the box')
  act(await lab.worktrees.materials(task).locate({ kind: 'git' }))
  const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  await lab.worktrees.restore(task, commit)
  expect(await inBox(lab, task, 'status', '--porcelain')).toBe('')
  expect(await inBox(lab, task, 'ls-files')).toBe('a.txt\nc.txt\nsrc/b.txt')
  expect(await inBox(lab, task, 'log', '--format=%s')).toBe('What this box was given')
  expect(await inBox(lab, task, 'fsck', '--full')).toBe('')
  expect(await inBox(lab, task, 'config', '--list', '--name-only')).not.toContain('fsmonitor')
})
