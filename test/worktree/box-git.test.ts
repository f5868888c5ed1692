import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { author, boxOf, git, made, openLab, repository, snapshot, taskOn, write, type Lab } from './lab.ts'

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
  expect(await inBox(lab, task, 'fsck', '--full', '--no-dangling')).toBe('')
  await expectOnlyOurs(lab, task)
  expect(await inBox(lab, task, 'config', '--list', '--name-only')).not.toContain('fsmonitor')
})

/** No object is there but those of what was given, now or to an earlier box: what a box commits goes with it. */
async function expectOnlyOurs(lab: Lab, task: TaskPlace): Promise<void> {
  const all = await inBox(
    lab,
    task,
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objecttype) %(objectname)',
  )
  const commits = all.split('\n').flatMap((line) => /^commit (.*)/.exec(line)?.[1] ?? [])
  const subjects = await inBox(lab, task, 'log', '--no-walk', '--format=%s', ...commits)
  expect(new Set(subjects.split('\n'))).toEqual(new Set(['What this box was given']))
}

// Git looks again at files that are no older than its index, and renews the times of objects that it would write again.
const looks: readonly { name: string; index: number; kept: boolean }[] = [
  { name: 'that only added to the objects', index: Date.now() / 1000 + 3600, kept: true },
  { name: 'that renewed the times of objects', index: 1, kept: false },
]

test.each(looks)('of a box $name, nothing of its own is in the next one', async ({ index, kept }) => {
  using lab = openLab()
  const task = await opened(lab)
  const box = await boxOf(lab.worktrees, task)
  const gitDir = await lab.worktrees.materials(task).locate({ kind: 'git' })
  const packs = (): readonly number[] =>
    readdirSync(`${gitDir}/objects/pack`).map((name) => statSync(`${gitDir}/objects/pack/${name}`).ino)
  const before = packs()
  utimesSync(`${gitDir}/index`, index, index)
  write(box, { 'c.txt': 'c\n' })
  await inBox(lab, task, 'add', '-A')
  await inBox(lab, task, 'commit', '-q', '-m', 'from the box')
  const theirs = await inBox(lab, task, 'rev-parse', 'HEAD')
  const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  await lab.worktrees.restore(task, commit)
  await expect(inBox(lab, task, 'cat-file', '-e', theirs)).rejects.toThrow(/Command failed/)
  await expectOnlyOurs(lab, task)
  // What a box has left as it was is not made anew.
  expect(before.every((ino) => packs().includes(ino))).toBe(kept)
})

test('a repository that no box has touched is kept, and grows with the commit', async () => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, { 'a.txt': 'a\n', 'src/b.txt': 'b\n' }))
  await lab.worktrees.open(task)
  const gitDir = await lab.worktrees.materials(task).locate({ kind: 'git' })
  const { ino } = statSync(gitDir)
  const box = await boxOf(lab.worktrees, task)
  let head = task.base.commit
  for (const [name, content] of [
    ['src/c.txt', 'c\n'],
    ['src', 'a file in place of a folder'],
    ['a.txt', 'b\n'],
  ] as const) {
    rmSync(`${box}/${name}`, { recursive: true, force: true })
    write(box, { [name]: content })
    head = made(await lab.worktrees.candidate(task, head, 'x')).commit
    await lab.worktrees.restore(task, head)
  }
  expect(statSync(gitDir).ino).toBe(ino)
  // Seen from a copy, as git writes into the repository that it looks at.
  execFileSync('cp', ['-r', gitDir, `${lab.folder}/copy`])
  const copied = (...args: readonly string[]): string => git(`${lab.folder}/copy`, ...args)
  expect(copied('ls-tree', '-r', '--name-only', 'work')).toBe('a.txt\nsrc')
  expect(copied('log', '--format=%s', 'work')).toBe('What this box was given')
  expect(copied('fsck', '--full', '--strict', '--no-dangling')).toBe('')
  // Another process knows it again.
  const again = lab.reopened()
  await again.restore(task, head)
  expect(statSync(gitDir).ino).toBe(ino)
  expect(await inBox(lab, task, 'status', '--porcelain')).toBe('')
})

const touches: readonly { name: string; act: (gitDir: string) => void }[] = [
  { name: 'a file more', act: (gitDir) => write(gitDir, { 'info/attributes': 'x' }) },
  { name: 'a folder more', act: (gitDir) => mkdirSync(`${gitDir}/refs/tags`) },
  { name: 'a file less', act: (gitDir) => rmSync(`${gitDir}/description`) },
  {
    name: 'a changed file with its old time',
    act: (gitDir) => {
      const { atime, mtime } = statSync(`${gitDir}/info/exclude`)
      const size = statSync(`${gitDir}/info/exclude`).size
      writeFileSync(`${gitDir}/info/exclude`, '#'.repeat(size))
      utimesSync(`${gitDir}/info/exclude`, atime, mtime)
    },
  },
  { name: 'another mode', act: (gitDir) => chmodSync(`${gitDir}/HEAD`, 0o777) },
  {
    name: 'a copy in its place',
    act: (gitDir) => {
      execFileSync('cp', ['-a', gitDir, `${gitDir}.copy`])
      rmSync(gitDir, { recursive: true })
      renameSync(`${gitDir}.copy`, gitDir)
    },
  },
]

test.each(touches)('a repository that is not exactly as it was made is made anew: $name', async ({ act }) => {
  using lab = openLab({ clock: () => 0 })
  const task = await opened(lab)
  const gitDir = await lab.worktrees.materials(task).locate({ kind: 'git' })
  const before = snapshot(gitDir)
  act(gitDir)
  await lab.worktrees.restore(task, task.base.commit)
  expect(Object.keys(snapshot(gitDir))).toEqual(Object.keys(before))
  expect(snapshot(gitDir)['info/exclude']).toBe(before['info/exclude'])
  expect(statSync(`${gitDir}/HEAD`).mode & 0o777).toBe(0o644)
})
