import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  lstatSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { boxOf, git, made, openLab, repository, snapshot, taskOn, write } from './lab.ts'

const files = {
  'a.txt': 'a\n',
  'src/b.txt': 'b\n',
  '.env': 'SECRET=1\n',
  'config.yaml': 'secret: 1\n',
  'sub/.env': 'SECRET=2\n',
  '.github/workflows/ci.yml': 'on: push\n',
  'AGENTS.md': 'be good\n',
  '.gitignore': 'ignored/\n*.log\n',
}

interface Row {
  readonly name: string
  readonly act: (box: string) => void
  /** `what kind path found`, sorted. */
  readonly says: readonly string[]
  readonly policy?: Partial<Policy>
}

const nothing: readonly string[] = []

const table: readonly Row[] = [
  { name: 'nothing done', act: () => undefined, says: nothing },
  { name: 'an allowed file changed', act: (box) => write(box, { 'a.txt': 'b\n' }), says: nothing },
  { name: 'an allowed file removed', act: (box) => rmSync(`${box}/a.txt`), says: nothing },
  {
    name: 'an empty folder',
    act: (box) => mkdirSync(`${box}/new/empty`, { recursive: true }),
    says: nothing,
  },
  {
    name: 'B14 a denied name in a new folder',
    act: (box) => write(box, { 'new/config.yaml': 'x\n' }),
    says: ['created deny new/config.yaml file'],
  },
  {
    name: 'a denied path that the base holds',
    act: (box) => write(box, { '.env': 'x\n' }),
    says: ['created deny .env file'],
  },
  {
    name: 'A020 a denied name in capitals',
    act: (box) => write(box, { '.ENV': 'x\n' }),
    says: ['created deny .ENV file'],
  },
  {
    name: 'a denied name that is ignored',
    act: (box) => write(box, { '.gitignore': '.env\nignored/\n', '.env': 'x\n' }),
    says: ['created deny .env file'],
  },
  {
    name: 'a denied name in an ignored folder',
    act: (box) => write(box, { 'ignored/deep/.env': 'x\n' }),
    says: ['created deny ignored/deep/.env file'],
  },
  {
    name: 'an allowed exception',
    act: (box) => write(box, { '.env.example': 'x\n' }),
    says: nothing,
  },
  {
    name: 'an empty denied folder',
    act: (box) => mkdirSync(`${box}/.workspace/x`, { recursive: true }),
    says: ['created deny .workspace folder'],
  },
  {
    name: 'A011 a dangling symlink at a denied name',
    act: (box) => symlinkSync('/nowhere', `${box}/.env`),
    says: ['created deny .env symlink'],
  },
  {
    name: 'a fifo at a denied name',
    act: (box) => execFileSync('mkfifo', [`${box}/src/.env`]),
    says: ['created deny src/.env fifo'],
  },
  { name: 'a fifo elsewhere', act: (box) => execFileSync('mkfifo', [`${box}/src/pipe`]), says: nothing },
  {
    name: 'a nested repository',
    act: (box) => {
      write(box, { 'nested/x.txt': 'x\n', 'nested/.env': 'x\n' })
      git(`${box}/nested`, 'init', '-q')
      rmSync(`${box}/nested/.git`, { recursive: true })
      write(box, { 'nested/.git/HEAD': 'ref: refs/heads/main\n' })
    },
    says: ['created deny nested/.env file', 'created deny nested/.git repository'],
  },
  {
    name: 'a complete nested repository',
    act: (box) => {
      mkdirSync(`${box}/nested`)
      git(`${box}/nested`, 'init', '-q')
      write(box, { 'nested/.env': 'x\n' })
      git(`${box}/nested`, 'add', '-A')
      git(`${box}/nested`, 'commit', '-q', '-m', 'x')
    },
    says: ['created deny nested/.env file', 'created deny nested/.git repository'],
  },
  {
    name: 'F7 a .git folder in a tracked folder',
    act: (box) => write(box, { 'src/.git/config': '[core]\n\tfsmonitor = touch /tmp/pwned\n' }),
    says: ['created deny src/.git repository'],
  },
  {
    name: 'A043 a .git folder in capitals',
    act: (box) => write(box, { '.GIT/config': 'x\n', 'git~1': 'x\n' }),
    says: ['created deny .GIT/config file', 'created deny git~1 file'],
  },
  {
    name: 'A037 the root pointer rewritten',
    act: (box) => writeFileSync(`${box}/.git`, 'gitdir: /elsewhere/evil\n'),
    says: ['mask deny .git file'],
  },
  {
    name: 'the root pointer replaced by a folder',
    act: (box) => {
      unlinkSync(`${box}/.git`)
      mkdirSync(`${box}/.git`)
    },
    says: ['mask deny .git folder'],
  },
  {
    name: 'the root pointer removed',
    act: (box) => unlinkSync(`${box}/.git`),
    says: ['mask deny .git gone'],
  },
  {
    name: 'a readonly file changed',
    act: (box) => write(box, { 'AGENTS.md': 'be bad\n' }),
    says: ['changed readonly AGENTS.md file'],
  },
  {
    name: 'a readonly file removed',
    act: (box) => rmSync(`${box}/.github/workflows/ci.yml`),
    says: ['changed readonly .github/workflows/ci.yml gone'],
  },
  {
    name: 'a readonly file made executable',
    act: (box) => chmodSync(`${box}/AGENTS.md`, 0o755),
    says: ['changed readonly AGENTS.md file'],
  },
  {
    name: 'a readonly file replaced by a symlink',
    act: (box) => {
      unlinkSync(`${box}/AGENTS.md`)
      symlinkSync('a.txt', `${box}/AGENTS.md`)
    },
    says: ['changed readonly AGENTS.md symlink'],
  },
  {
    name: 'a readonly file replaced by a fifo',
    act: (box) => {
      unlinkSync(`${box}/AGENTS.md`)
      execFileSync('mkfifo', [`${box}/AGENTS.md`])
    },
    says: ['changed readonly AGENTS.md fifo'],
  },
  {
    name: 'A053 a readonly file created',
    act: (box) => write(box, { '.github/workflows/new.yml': 'x\n', '.vscode/tasks.json': '{}\n' }),
    says: ['created readonly .github/workflows/new.yml file', 'created readonly .vscode/tasks.json file'],
  },
  {
    name: 'a readonly folder moved away',
    act: (box) => renameSync(`${box}/.github`, `${box}/github`),
    says: ['changed readonly .github/workflows/ci.yml gone'],
  },
  {
    name: 'A004 a folder above a readonly file replaced by a symlink',
    act: (box) => {
      renameSync(`${box}/.github`, `${box}/other`)
      symlinkSync('other', `${box}/.github`)
    },
    says: ['changed readonly .github/workflows/ci.yml gone'],
  },
  {
    name: 'an allow list, kept to',
    policy: { allow: ['src/**'] },
    act: (box) => write(box, { 'src/deep/new.txt': 'x\n', 'src/b.txt': 'x\n' }),
    says: nothing,
  },
  {
    name: 'an allow list, left',
    policy: { allow: ['src/**'] },
    act: (box) => write(box, { 'other/new.txt': 'x\n', 'a.txt': 'x\n' }),
    says: ['changed readonly a.txt file', 'created readonly other/new.txt file'],
  },
  {
    name: 'names with newlines, spaces, umlauts and no UTF-8',
    policy: { deny: [...defaultPolicy.deny, '*.pem'] },
    act: (box) => {
      write(box, { 'new\nline/key\n.pem': 'x', 'sp ace/ü.pem': 'x' })
      writeFileSync(Buffer.concat([Buffer.from(`${box}/`), Buffer.from([0xff]), Buffer.from('.pem')]), 'x')
    },
    says: [
      'created deny new\nline/key\n.pem file',
      'created deny sp ace/ü.pem file',
      'created deny �.pem file',
    ],
  },
]

test.each(table)('verify: $name', async ({ act, says, policy }) => {
  using lab = openLab()
  const { worktrees } = lab
  const task = await taskOn(worktrees, repository(lab, files), policy)
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  const before = snapshot(box)
  act(box)
  const violations = await worktrees.verify(task, task.base.commit)
  expect(violations.map(({ what, kind, path, found }) => `${what} ${kind} ${path} ${found}`).sort()).toEqual(
    says,
  )
  for (const violation of violations) expect(violation.rule).not.toBe('')
  // The same once more, in another process.
  expect(await lab.reopened().verify(task, task.base.commit)).toEqual(violations)
  // And all of it can be undone.
  await worktrees.restore(task, task.base.commit)
  expect(snapshot(box)).toEqual(before)
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
})

const disguised = [
  { name: 'AGENTS.md', content: 'BE GOOD\n' },
  { name: 'a.txt', content: 'A\n' },
]

test.each(disguised)('a change of $name that git cannot tell is found', { retry: 10 }, async (row) => {
  using lab = openLab()
  const { worktrees } = lab
  const task = await taskOn(worktrees, repository(lab, files))
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  const file = `${box}/${row.name}`
  const was = readFileSync(file, 'utf8')
  // The disguise holds only within one second, so it has one before it.
  await sleep(1000 - (Date.now() % 1000))
  // An index younger than the file, by the file's own time: git does not doubt such an entry.
  utimesSync(file, 1_000_000_000, 1_000_000_000)
  write(box, { 'other.txt': 'x' })
  const { commit } = made(await worktrees.candidate(task, task.base.commit, 'x'))
  const before = lstatSync(file)
  await boxOf(worktrees, task)
  writeFileSync(file, row.content)
  utimesSync(file, before.atime, before.mtime)
  // Otherwise this try proves nothing.
  const seconds = [before, lstatSync(file)].map(({ ctimeMs }) => Math.floor(ctimeMs / 1000))
  expect(seconds[0]).toBe(seconds[1])
  const violations = await worktrees.verify(task, commit)
  const result = await worktrees.candidate(task, commit, 'x')
  if (row.name === 'a.txt') expect(made(result).stat.files).toBe(1)
  else expect([violations[0]?.path, result.kind]).toEqual([row.name, 'refused'])
  await worktrees.restore(task, commit)
  expect(readFileSync(file, 'utf8')).toBe(was)
})

test('A033 set-id bits are stripped from what the candidate holds', async () => {
  using lab = openLab()
  const { worktrees } = lab
  const task = await taskOn(worktrees, repository(lab, files))
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  write(box, { tool: '#!/bin/sh\n' })
  chmodSync(`${box}/tool`, 0o6755)
  chmodSync(`${box}/a.txt`, 0o4644)
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
  made(await worktrees.candidate(task, task.base.commit, 'x'))
  expect(lstatSync(`${box}/tool`).mode & 0o7777).toBe(0o755)
  expect(lstatSync(`${box}/a.txt`).mode & 0o7777).toBe(0o644)
})

test('A032 folders nested deeper than a path is long are removed and told of, and the rest is kept', async () => {
  using lab = openLab()
  const { worktrees } = lab
  const task = await taskOn(worktrees, repository(lab, files))
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  // 900 folders in each other, 100 at a time, as a longer path cannot be named.
  const hundred = Array.from({ length: 100 }, () => 'aaaaaaaaa').join('/')
  execFileSync(
    'sh',
    ['-c', 'for i in 1 2 3 4 5 6 7 8 9; do mkdir -p $0 && cd -P $0 || exit 1; done', hundred],
    {
      cwd: box,
    },
  )
  const edge = Array.from({ length: 14 }, () => 'e'.repeat(240)).join('/')
  for (let wide = 0; wide < 100; wide += 1)
    mkdirSync(`${box}/${edge}/${String(wide).padStart(200, 'w')}/x`, { recursive: true })
  write(box, { 'src/ok.txt': 'ok\n' })
  const before = performance.now()
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
  const { commit, stat, leftOut } = made(await worktrees.candidate(task, task.base.commit, 'x'))
  expect(performance.now() - before).toBeLessThan(20_000)
  expect(stat.files).toBe(1)
  expect(leftOut.length).toBeLessThan(300)
  expect(leftOut).toContainEqual({
    path: expect.stringMatching(/^(?:aaaaaaaaa\/)+/) as string,
    why: 'nested deeper than 3500 bytes of path',
    undone: true,
  })
  await worktrees.restore(task, commit)
  expect(Object.keys(snapshot(box))).toContain('src/ok.txt')
  expect(Object.keys(snapshot(box)).filter((path) => /^[ae]{2}/.test(path))).toEqual([])
  expect(await worktrees.verify(task, commit)).toEqual([])
})
