import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import { passingId } from '../../src/domain/ids.ts'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { boxOf, made, openLab, repository, snapshot, taskOn, user, write, type Lab } from './lab.ts'

const files = { 'a.txt': 'a\n', 'src/b.txt': 'b\n', '.env': 'SECRET=1\n', '.gitignore': '*.log\n' }

/** A lab whose git notes each of its calls. */
function counting(): { lab: Lab; calls: () => readonly string[] } {
  const lab = openLab()
  const log = `${lab.folder}/calls`
  mkdirSync(`${lab.folder}/bin`)
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  // Only calls of ours: those of git itself come with its own folder first in PATH.
  writeFileSync(`${lab.folder}/bin/git`, `#!/bin/sh\necho "$*" >> ${log}\nexec ${real} "$@"\n`, {
    mode: 0o755,
  })
  const worktrees = lab.reopened({ searchPath: `${lab.folder}/bin:/usr/bin:/bin` })
  const calls = (): readonly string[] => {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
    rmSync(log, { force: true })
    return lines
  }
  return { lab: { ...lab, worktrees, [Symbol.dispose]: () => lab[Symbol.dispose]() }, calls }
}

test('a step in which nothing changed costs no git process', async () => {
  const { lab: made, calls } = counting()
  using lab = made
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  calls()
  for (let step = 1; step <= 2; step += 1) {
    await lab.worktrees.open(task)
    await lab.worktrees.restore(task, task.base.commit)
    await lab.worktrees.listing(task)
    await lab.worktrees.materials(task).locate({ kind: 'git' })
    await boxOf(lab.worktrees, task)
    await lab.worktrees.verify(task, task.base.commit)
    await lab.worktrees.candidate(task, task.base.commit, 'x')
    expect(calls()).toEqual([])
  }
})

test('a step with a change costs few git processes', async () => {
  const { lab: counted, calls } = counting()
  using lab = counted
  const task = await taskOn(lab.worktrees, repository(lab, { 'a.txt': 'a\n' }))
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  write(box, { 'b.txt': 'b\n' })
  calls()
  await lab.worktrees.verify(task, task.base.commit)
  const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  await lab.worktrees.checkpoint(task, commit)
  await lab.worktrees.restore(task, commit)
  const words = calls().map((call) => call.split(' ').find((word) => !word.startsWith('-')))
  expect(words).toEqual(['check-ignore', 'update-index', 'write-tree', 'diff-tree'])
})

test('a task makes its mirror without a clone, and the next one on the same base fetches nothing', async () => {
  const { lab: counted, calls } = counting()
  using lab = counted
  const repo = repository(lab, files)
  for (const letter of ['a', 'b']) {
    const task = await taskOn(lab.worktrees, repo, {}, letter)
    calls()
    await lab.worktrees.open(task)
    const words = calls().flatMap((call) => call.split(' '))
    expect(words).toContain('ls-tree')
    expect(words.filter((word) => ['clone', 'fetch', 'rev-parse', 'update-ref'].includes(word))).toEqual([])
    // The second task's repository was not looked at yet.
    expect(words.includes('cat-file')).toBe(letter === 'b')
    expect(snapshot(await boxOf(lab.worktrees, task))['a.txt']).toBe('a\n')
  }
})

interface Row {
  readonly name: string
  readonly act: (box: string) => void
}

const damage: readonly Row[] = [
  { name: 'files changed, removed and added', act: (box) => spoil(box) },
  { name: 'ignored files', act: (box) => write(box, { 'x.log': '1', 'new/deep/y.log': '1' }) },
  { name: 'empty folders', act: (box) => mkdirSync(`${box}/e/f/g`, { recursive: true }) },
  {
    name: 'folders and files without rights',
    act: (box) => {
      write(box, { 'locked/in/x.txt': '1', 'unreadable.txt': '1' })
      chmodSync(`${box}/locked/in`, 0)
      chmodSync(`${box}/locked`, 0)
      chmodSync(`${box}/src`, 0)
      chmodSync(`${box}/unreadable.txt`, 0)
      chmodSync(`${box}/a.txt`, 0)
    },
  },
  { name: 'a root folder without rights', act: (box) => chmodSync(box, 0) },
  { name: 'everything removed', act: (box) => execFileSync('sh', ['-c', 'rm -rf ./* ./.g*'], { cwd: box }) },
]

function spoil(box: string): void {
  write(box, { 'a.txt': 'changed\n', 'new/x.txt': 'new\n', 'src/c.txt': 'new\n' })
  rmSync(`${box}/src/b.txt`)
}

test.each(damage)('restore after $name', async ({ act }) => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  const before = snapshot(box)
  act(box)
  await lab.worktrees.restore(task, task.base.commit)
  expect(snapshot(box)).toEqual(before)
  expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
  expect(ownersOf(box)).toEqual([user.uid])
  const locked = execFileSync('find', [box, '!', '-type', 'l', '!', '-perm', '-400'], { encoding: 'utf8' })
  expect(locked).toBe('')
})

function ownersOf(folder: string): readonly number[] {
  const out = execFileSync('find', [folder, '-printf', '%U\n'], { encoding: 'utf8' })
  return [...new Set(out.trim().split('\n').map(Number))]
}

const halfMade: readonly { name: string; spoil: (lab: Lab, task: TaskPlace) => void }[] = [
  { name: 'no state', spoil: (lab, task) => rmSync(`${lab.data}/private/${task.id}/state.json`) },
  {
    name: 'no state and half a checkout',
    spoil: (lab, task) => {
      rmSync(`${lab.data}/private/${task.id}/state.json`)
      rmSync(`${lab.data}/tasks/${task.id}/src`, { recursive: true })
      write(`${lab.data}/tasks/${task.id}`, { 'half.txt': 'x' })
    },
  },
  { name: 'no index', spoil: (lab, task) => rmSync(`${lab.data}/private/${task.id}/index-1`) },
  {
    name: 'an index cut in the middle',
    spoil: (lab, task) => truncateSync(`${lab.data}/private/${task.id}/index-1`, 100),
  },
  { name: 'no worktree', spoil: (lab, task) => rmSync(`${lab.data}/tasks/${task.id}`, { recursive: true }) },
  {
    name: 'a state cut in the middle',
    spoil: (lab, task) => writeFileSync(`${lab.data}/private/${task.id}/state.json`, '{"at":"'),
  },
  {
    name: 'a lock of the index',
    spoil: (lab, task) => writeFileSync(`${lab.data}/private/${task.id}/index-1.lock`, ''),
  },
  {
    name: 'locks in the mirror',
    spoil: (lab, task) => {
      const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
      write(mirror, {
        [`refs/cofferdam/${task.id}/candidate.lock`]: '',
        'packed-refs.lock': '',
        'HEAD.lock': '',
      })
    },
  },
  {
    name: 'half a mirror beside it',
    spoil: (lab, task) => write(`${lab.data}/mirrors/${task.repository.key}.git.new`, { 'objects/x': '' }),
  },
  {
    name: 'no mirror at all',
    spoil: (lab, task) => {
      rmSync(`${lab.data}/mirrors/${task.repository.key}.git`, { recursive: true })
    },
  },
  {
    name: 'no private repository',
    spoil: (lab, task) => rmSync(`${lab.data}/private/${task.id}/git`, { recursive: true }),
  },
]

test.each(halfMade)('opened again after a kill that left $name', async ({ spoil }) => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  const before = snapshot(`${lab.data}/tasks/${task.id}`)
  spoil(lab, task)
  const again = lab.reopened()
  await again.sweep(new Set())
  await again.open(task)
  await again.restore(task, task.base.commit)
  const box = await boxOf(again, task)
  expect(snapshot(box)).toEqual(before)
  expect(existsSync(`${lab.data}/private/${task.id}/git/HEAD`)).toBe(true)
  write(box, { 'a.txt': 'works\n' })
  const { commit } = made(await again.candidate(task, task.base.commit, 'x'))
  await again.checkpoint(task, commit)
  await again.handover(task, commit)
})

test('a worktree made for another policy is made anew', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await taskOn(lab.worktrees, repo)
  await lab.worktrees.open(task)
  const stricter = { ...task, policy: { ...task.policy, deny: [...task.policy.deny, 'src'] } }
  await lab.worktrees.open(stricter)
  expect(Object.keys(snapshot(await boxOf(lab.worktrees, stricter)))).toEqual(['.gitignore', 'a.txt'])
})

test('discard and sweep, once and again', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const one = await taskOn(lab.worktrees, repo)
  const two = await taskOn(lab.worktrees, repo, {}, 'b')
  for (const task of [one, two]) {
    await lab.worktrees.open(task)
    await lab.worktrees.writeAttemptFile(task, 'prompt.md', 'x')
  }
  const box = await boxOf(lab.worktrees, one)
  write(box, { 'a.txt': 'x\n' })
  const { commit } = made(await lab.worktrees.candidate(one, one.base.commit, 'x'))
  await lab.worktrees.checkpoint(one, commit)
  await lab.worktrees.handover(one, commit)
  await lab.worktrees.discard(one)
  await lab.worktrees.discard(one)
  const mirror = `${lab.data}/mirrors/${one.repository.key}.git`
  expect(refsOf(mirror)).toEqual([`refs/cofferdam/${two.id}/base`])
  for (const kind of ['tasks', 'private', 'trees', 'setups', 'attempts'])
    expect(existsSync(`${lab.data}/${kind}/${one.id}`)).toBe(false)
  await lab.worktrees.sweep(new Set([one.id]))
  expect(existsSync(`${lab.data}/tasks/${two.id}/a.txt`)).toBe(true)
})

test('a sweep takes away what was discarded or only looked at, but no work that nobody knows', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const worked = await taskOn(lab.worktrees, repo)
  // As `explain` leaves it when it is killed.
  const explained = { ...(await taskOn(lab.worktrees, repo)), id: passingId(Buffer.alloc(10)) }
  const unknown = await taskOn(lab.worktrees, repo, {}, 'c')
  for (const task of [worked, explained, unknown]) await lab.worktrees.open(task)
  write(await boxOf(lab.worktrees, worked), { 'a.txt': 'x\n' })
  const { commit } = made(await lab.worktrees.candidate(worked, worked.base.commit, 'x'))
  await lab.worktrees.checkpoint(worked, commit)
  const beside = { ...worked, branch: `cofferdam-${worked.id}` }
  await lab.worktrees.checkpoint(beside, commit)
  await lab.worktrees.checkpoint(unknown, commit)
  const again = lab.reopened()
  await again.sweep(new Set([worked.id]))
  expect(namesIn(`${lab.data}/tasks`)).toEqual([unknown.id])
  expect(namesIn(`${lab.data}/private`)).toEqual([unknown.id])
  const mirror = `${lab.data}/mirrors/${worked.repository.key}.git`
  expect(namesIn(`${mirror}/worktrees`)).toEqual([unknown.id])
  expect(refsOf(mirror)).toEqual([`refs/cofferdam/${unknown.id}/base`, `refs/heads/${unknown.branch}`])
})

test('a sweep ends a discard that a kill has interrupted', async () => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  write(await boxOf(lab.worktrees, task), { 'a.txt': 'x\n' })
  const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  await lab.worktrees.checkpoint(task, commit)
  // As it ends where git cannot be started any more.
  const killed = lab.reopened({ searchPath: '/nonexistent' })
  await expect(killed.discard(task)).rejects.toThrow(/cannot be started/)
  const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
  expect(refsOf(mirror)).toHaveLength(3)
  await lab.reopened().sweep(new Set([task.id]))
  expect(refsOf(mirror)).toEqual([''])
  expect(namesIn(`${mirror}/worktrees`)).toEqual([])
})

/** Gives a folder a default ACL that lets everybody write below it, as a program in a box can. */
function openToAll(folder: string): boolean {
  const entries = ['02000000', '01000700ffffffff', '04000700ffffffff', '20000700ffffffff'].join('')
  const python = `import os, sys; os.setxattr(sys.argv[1], 'system.posix_acl_default', bytes.fromhex('${entries}'))`
  const ways = [
    ['setfacl', '-d', '-m', 'u::rwx,g::rwx,o::rwx', folder],
    ['python3', '-c', python, folder],
  ]
  return ways.some(([program = '', ...args]) => spawnSync(program, args).status === 0)
}

test('what is restored under a default ACL is nobody else’s to write', async ({ skip }) => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  if (!openToAll(box) || !openToAll(`${box}/src`)) skip('nothing here sets an ACL')
  write(box, { 'src/open.txt': '' })
  expect(lstatSync(`${box}/src/open.txt`).mode & 0o777).toBe(0o666)
  rmSync(`${box}/src/b.txt`)
  rmSync(`${box}/.git`)
  chmodSync(`${box}/a.txt`, 0o666)
  await lab.worktrees.verify(task, task.base.commit)
  await lab.worktrees.restore(task, task.base.commit)
  for (const path of ['.git', 'a.txt', 'src', 'src/b.txt'])
    expect([path, lstatSync(`${box}/${path}`).mode & 0o022]).toEqual([path, 0])
  // And nothing of it counts as a change.
  expect(made(await lab.worktrees.candidate(task, task.base.commit, 'x'))).toMatchObject({ changed: false })
})

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function refsOf(mirror: string): readonly string[] {
  const args = ['-C', mirror, 'for-each-ref', '--format=%(refname)']
  return execFileSync('git', args, { encoding: 'utf8' }).trim().split('\n')
}

test('B19 two tasks on one repository do not see each other', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const tasks = [await taskOn(lab.worktrees, repo), await taskOn(lab.worktrees, repo, {}, 'b')] as const
  await Promise.all(tasks.map((task) => lab.worktrees.open(task)))
  const results = await Promise.all(
    tasks.map(async (task) => {
      write(await boxOf(lab.worktrees, task), { [`${task.id}.txt`]: 'x\n' })
      expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
      const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
      await lab.worktrees.checkpoint(task, commit)
      await lab.worktrees.handover(task, commit)
      return lab.worktrees.diff(task, task.base.commit, commit)
    }),
  )
  expect(results[0]).not.toContain('bbbbbbbbbb')
  expect(results[1]).not.toContain('aaaaaaaaaa')
})

test('the pointer for the box, and the modes of what is mounted', async () => {
  using lab = openLab()
  const task = await taskOn(lab.worktrees, repository(lab, files))
  await lab.worktrees.open(task)
  const materials = lab.worktrees.materials(task)
  await lab.worktrees.writeAttemptFile(task, 'prompt.md', 'do it')
  const pointer = await materials.locate({ kind: 'pointer' })
  expect(readFileSync(pointer, 'utf8')).toBe('gitdir: /cofferdam/git\n')
  const modes = await Promise.all(
    (['pointer', 'empty-file', 'empty-folder', 'attempt'] as const).map(async (kind) => {
      const path = await materials.locate({ kind })
      return `${kind} ${(lstatSync(path).mode & 0o777).toString(8)}`
    }),
  )
  expect(modes).toEqual(['pointer 444', 'empty-file 444', 'empty-folder 555', 'attempt 755'])
  expect(lstatSync(`${await materials.locate({ kind: 'attempt' })}/prompt.md`).mode & 0o777).toBe(0o444)
  await expect(materials.locate({ kind: 'worktree', path: '../x' })).rejects.toThrow(/no path of a tree/)
})
