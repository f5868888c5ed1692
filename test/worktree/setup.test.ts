import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { combineRules } from '../../src/worktree/ignore-rules.ts'
import { boxOf, commit, made, openLab, repository, snapshot, taskOn, write, type Lab } from './lab.ts'

const files = {
  'package.json': '{"name":"x","scripts":{"test":"true"},"dependencies":{"a":"1"}}\n',
  'package-lock.json': '{}\n',
  'src/a.ts': 'a\n',
  'packages/p/package.json': '{}\n',
  '.gitignore': 'node_modules/\n/dist\n*.log\n.env\n',
  'packages/.gitignore': 'build\n!build/keep\n',
  '.env.example': 'x\n',
}

async function setUp(lab: Lab, act: (tree: string) => void): Promise<{ task: TaskPlace; tree: string }> {
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  const tree = await lab.worktrees
    .materials(task)
    .locate({ kind: 'tree', commit: task.base.commit, writes: 'keep' })
  act(tree)
  return { task, tree }
}

test('keepSetup keeps what the base ignores, whatever setup does to the rules', async () => {
  using lab = openLab()
  const { task } = await setUp(lab, (tree) => {
    write(tree, {
      'node_modules/a/index.js': 'a',
      'node_modules/a/.gitignore': '*',
      'node_modules/a/.husky/x': 'a',
      'packages/p/node_modules/b/index.js': 'b',
      'packages/p/build/out.js': 'c',
      'dist/x.js': 'd',
      'src/dist/x.js': 'not ignored',
      'setup.log': 'log',
      '.env': 'SECRET=from setup',
      '.venv/.gitignore': '*\n',
      '.venv/bin/python': 'not covered by the base',
      'package-lock.json': 'changed',
      '.gitignore': 'src/\n',
    })
    symlinkSync('/etc', `${tree}/packages/p/link.log`)
  })
  const { kept, dropped } = await lab.worktrees.keepSetup(task, 'key')
  expect([...kept].sort()).toEqual([
    'dist',
    'node_modules',
    'packages/p/build',
    'packages/p/node_modules',
    'setup.log',
  ])
  const unignored = 'git does not ignore it'
  expect(dropped).toEqual([
    { path: '.env', why: "denied by the policy's .env" },
    { path: '.gitignore', why: unignored },
    { path: '.venv', why: unignored },
    { path: 'package-lock.json', why: unignored },
    { path: 'packages/p/link.log', why: aSymlink },
    { path: 'src/dist', why: unignored },
  ])
  expect(await lab.worktrees.setupFolders(task)).toEqual([...kept].sort())
  const place = await lab.worktrees.materials(task).locate({ kind: 'setup', path: 'packages/p/build' })
  expect(snapshot(place)).toEqual({ 'out.js': 'c' })
  // Again, also in another process: the same answer.
  expect(await lab.reopened().keepSetup(task, 'key')).toEqual({ kept, dropped })
})

const aSymlink = 'a symlink: only real folders and files that git ignores can be mounted'

test('a node_modules that is a symlink is called that, although its rule is for folders', async () => {
  using lab = openLab()
  const { task } = await setUp(lab, (tree) => symlinkSync('/cache/node_modules', `${tree}/node_modules`))
  const { kept, dropped } = await lab.worktrees.keepSetup(task, 'key')
  expect({ kept, dropped }).toEqual({ kept: [], dropped: [{ path: 'node_modules', why: aSymlink }] })
})

const tampering: readonly { name: string; act: (folder: string) => void; intact: boolean }[] = [
  { name: 'nothing', act: () => undefined, intact: true },
  {
    name: 'a file of the same size, with its old time put back',
    act: (folder) => {
      const { atime, mtime } = statSync(`${folder}/a/index.js`)
      writeFileSync(`${folder}/a/index.js`, 'b')
      utimesSync(`${folder}/a/index.js`, atime, mtime)
    },
    intact: false,
  },
  { name: 'a file more', act: (folder) => writeFileSync(`${folder}/more`, ''), intact: false },
  { name: 'a file less', act: (folder) => rmSync(`${folder}/a/index.js`), intact: false },
  { name: 'an empty folder', act: (folder) => mkdirSync(`${folder}/empty`), intact: false },
  { name: 'another mode', act: (folder) => chmodSync(`${folder}/a`, 0o777), intact: false },
  {
    name: 'a link elsewhere',
    act: (folder) => {
      rmSync(`${folder}/link`)
      symlinkSync('../elsewhere', `${folder}/link`)
    },
    intact: false,
  },
  { name: 'all of it gone', act: (folder) => rmSync(folder, { recursive: true }), intact: false },
]

test.each(tampering)('what setup left is known to be as it was, or not: $name', async ({ act, intact }) => {
  using lab = openLab()
  const { task } = await setUp(lab, (tree) => {
    write(tree, { 'node_modules/a/index.js': 'a' })
    symlinkSync('a/index.js', `${tree}/node_modules/link`)
  })
  await lab.worktrees.keepSetup(task, 'key')
  act(await lab.worktrees.materials(task).locate({ kind: 'setup', path: 'node_modules' }))
  expect(await lab.reopened().setupIntact(task, 'key')).toBe(intact)
  expect(await lab.reopened().setupIntact(task, 'other')).toBe(false)
})

test('what setup left is no violation, in no candidate, and survives restores', async () => {
  using lab = openLab()
  const { task } = await setUp(lab, (tree) => write(tree, { 'node_modules/a/.env': 'x' }))
  await lab.worktrees.keepSetup(task, 'key')
  const box = await boxOf(lab.worktrees, task)
  // The mount point that a box leaves for a moment, with something in it that has no business there.
  write(box, { 'node_modules/.env': 'x', 'src/b.ts': 'b', '.gitignore': '\n' })
  expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
  const candidate = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  expect(candidate.leftOut).toEqual([{ path: 'node_modules/', why: 'where setup keeps its own' }])
  await lab.worktrees.restore(task, candidate.commit)
  expect(Object.keys(snapshot(box)).filter((path) => path.startsWith('node_modules'))).toEqual([])
  expect(await lab.worktrees.setupFolders(task)).toEqual(['node_modules'])
})

test('setup again replaces what the first one left', async () => {
  using lab = openLab()
  const { task } = await setUp(lab, (tree) => write(tree, { 'node_modules/old.js': 'x', 'dist/x': 'x' }))
  await lab.worktrees.keepSetup(task, 'one')
  const tree = await lab.worktrees
    .materials(task)
    .locate({ kind: 'tree', commit: task.base.commit, writes: 'keep' })
  expect(Object.keys(snapshot(tree))).not.toContain('node_modules/')
  write(tree, { 'node_modules/new.js': 'x' })
  expect(await lab.worktrees.keepSetup(task, 'two')).toEqual({ kept: ['node_modules'], dropped: [] })
  const place = await lab.worktrees.materials(task).locate({ kind: 'setup', path: 'node_modules' })
  expect(Object.keys(snapshot(place))).toEqual(['new.js'])
})

test('setupKey changes with what an installation reads, and with nothing else', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const { worktrees } = lab
  const task = await taskOn(worktrees, repo)
  await worktrees.open(task)
  const key = await worktrees.setupKey(task, task.base.commit)
  const after = async (letter: string, change: Record<string, string>): Promise<string> => {
    const changed = commit(repo, change)
    const other = await taskOn(worktrees, repo, {}, letter)
    await worktrees.open(other)
    return worktrees.setupKey(other, changed)
  }
  expect(await after('b', { 'src/a.ts': 'changed\n' })).toBe(key)
  const script = { 'package.json': '{"name":"x","scripts":{"test":"false"},"dependencies":{"a":"1"}}\n' }
  expect(await after('c', script)).toBe(key)
  expect(await after('d', { 'packages/p/package.json': '{"dependencies":{"b":"1"}}\n' })).not.toBe(key)
})

const rules: readonly { name: string; files: readonly (readonly [string, string])[]; says: string }[] = [
  {
    name: 'the root alone',
    files: [['', '# note\n\nnode_modules/\n/dist\r\n!x\n']],
    says: 'node_modules/\n/dist\n!x\n',
  },
  { name: 'a loose name in a folder', files: [['a/b', 'build\n']], says: '/a/b/**/build\n' },
  { name: 'a folder name', files: [['a', 'build/\n']], says: '/a/**/build/\n' },
  { name: 'tied patterns', files: [['a', '/build\nx/y\n']], says: '/a/build\n/a/x/y\n' },
  { name: 'a negation', files: [['a', '!/keep\n!k\n']], says: '!/a/keep\n!/a/**/k\n' },
  { name: 'signs in a folder name', files: [['a [b]*', 'x\n']], says: String.raw`/a\ \[b\]\*/**/x` + '\n' },
  {
    name: 'deeper later',
    files: [
      ['a/b', 'two\n'],
      ['', 'one\n'],
    ],
    says: 'one\n/a/b/**/two\n',
  },
]

test.each(rules)('ignore rules of $name', ({ files, says }) => {
  expect(combineRules(files.map(([folder, content]) => ({ folder, content })))).toBe(says)
})
