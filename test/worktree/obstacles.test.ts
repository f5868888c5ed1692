import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Moved, TaskPlace } from '../../src/domain/worktree.ts'
import { smallDisk } from '../attack/disks.ts'
import { boobyTrap } from './booby-trap.ts'
import { remembered } from '../support/remembered.ts'
import { leaveMain, tipIn } from '../support/branches.ts'
import { appliedIn, type Files, git, type Lab, openLab, repository, snapshot, write } from './lab.ts'

// A user's checkout of the branch that work is merged into, in the states that plain git would not mind.

const root = process.geteuid?.() === 0
const files = { 'a.txt': 'one\ntwo\nthree\n', 'src/b.txt': 'b\n', '.gitignore': '*.local\nout/\n' }
const at = Date.UTC(2026, 0, 2, 3, 4, 5)

let lab: Lab
let repo: string
beforeEach(() => {
  lab = openLab()
  repo = repository(lab, files)
})
afterEach(() => lab[Symbol.dispose]())

interface Made {
  readonly task: TaskPlace
  readonly from: CommitId
  readonly to: CommitId
}

/** The merged commit of a task with this work, which is not moved to yet. */
async function mergedFrom(task: TaskPlace, head: CommitId): Promise<Made> {
  const wish = { into: 'main', how: 'merge', since: task.base.commit, at, message: 'Merge it\n' } as const
  const merged = await lab.worktrees.merge(task, head, wish)
  if (merged.kind !== 'made') throw new Error(JSON.stringify(merged))
  return { task, from: merged.from, to: merged.commit }
}

async function made(work: Files): Promise<Made> {
  const { task, head } = await appliedIn(lab, repo, work)
  return remembered(JSON.stringify(['merged', task, head]), lab.folder, () => mergedFrom(task, head))
}

const move = ({ task, from, to }: Made): Promise<Moved> =>
  lab.worktrees.move(task, { into: 'main', from, to, back: false })
const undo = ({ task, from, to }: Made): Promise<Moved> =>
  lab.worktrees.move(task, { into: 'main', from: to, to: from, back: true })
const tip = (): string => tipIn(repo, 'main')

/** Refused with these words, and nothing has changed. */
async function isRefused(merge: Made, words: RegExp): Promise<void> {
  const before = snapshot(repo)
  expect(await move(merge)).toEqual({ kind: 'refused', text: expect.stringMatching(words) })
  expect([tip(), snapshot(repo)]).toEqual([merge.from, before])
}

it.each<[string, Files, Files, string]>([
  ['a file', { 'notes.local': 'mine\n' }, { 'notes.local': 'theirs\n' }, 'notes.local'],
  ['a folder where a file is to be', { 'out/mine': 'x\n' }, { out: 'theirs\n' }, 'out/mine'],
  ['a file where a folder is to be', { out: 'mine\n' }, { 'out/theirs': 'x\n' }, 'out'],
])('keeps %s that git ignores, which git itself would write over', async (_, mine, theirs, path) => {
  const merge = await made({ '.gitignore': '\n', ...theirs })
  // Ignored by a rule that is the user's own: git takes such files for worthless.
  write(repo, { '.git/info/exclude': 'notes.local\nout\n', ...mine })
  await isRefused(merge, new RegExp(String.raw`in the way that are not tracked \(${path}\): move them`))
  rmSync(join(repo, path.split('/')[0] ?? ''), { recursive: true })
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect(git(repo, 'status', '--porcelain')).toBe('')
})

it('follows where a file becomes a folder and a folder a file, and goes back', async () => {
  const { task, head } = await appliedIn(lab, repo, {})
  expect(head).toBe(task.base.commit)
  const { worktrees } = lab
  const box = await worktrees.materials(task).locate({ kind: 'worktree', path: '' })
  rmSync(join(box, 'a.txt'))
  rmSync(join(box, 'src'), { recursive: true })
  write(box, { 'a.txt/deep.txt': 'x\n', src: 'x\n' })
  const candidate = await worktrees.candidate(task, task.base.commit, 'step 1\n')
  if (candidate.kind !== 'made') throw new Error(JSON.stringify(candidate))
  const merge = await mergedFrom(task, candidate.commit)
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect([git(repo, 'status', '--porcelain'), readFileSync(join(repo, 'src'), 'utf8')]).toEqual(['', 'x\n'])
  expect(await undo(merge)).toEqual({ kind: 'moved' })
  expect([git(repo, 'status', '--porcelain'), snapshot(repo)]).toEqual(['', { ...files, 'src/': '' }])
})

it.each(['--assume-unchanged', '--skip-worktree'])(
  'keeps a change that git was told not to look at (%s)',
  async (flag) => {
    const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n' })
    git(repo, 'update-index', flag, 'a.txt', 'src/b.txt')
    write(repo, { 'a.txt': 'mine\n' })
    expect(git(repo, 'status', '--porcelain')).toBe('')
    await isRefused(merge, /where git is told not to look at a\.txt: /)
  },
)

it('follows in a sparse checkout, without what that leaves out', async () => {
  const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n', 'src/b.txt': 'B\n' })
  git(repo, 'sparse-checkout', 'set', '--no-cone', '/a.txt')
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect([git(repo, 'status', '--porcelain'), Object.keys(snapshot(repo))]).toEqual(['', ['a.txt']])
})

it('writes lines as the repository is set to write them', async () => {
  git(repo, 'config', 'core.autocrlf', 'true')
  rmSync(join(repo, 'a.txt'))
  git(repo, 'checkout', '-q', 'a.txt')
  const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n' })
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('one\r\ntwo\r\nTHREE\r\n')
  expect(git(repo, 'status', '--porcelain')).toBe('')
})

it('is not written half where a folder of it may not be written', async () => {
  if (root) execFileSync('chown', ['-R', '12345:12345', repo])
  const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n', 'src/b.txt': 'B\n' })
  if (root) execFileSync('chown', ['0:0', join(repo, 'src')])
  else chmodSync(join(repo, 'src'), 0o555)
  const before = snapshot(repo)
  expect(await move(merge)).toEqual({
    kind: 'refused',
    text: expect.stringContaining(`may not write (${repo}/src)`),
  })
  expect(snapshot(repo)).toEqual(before)
  chmodSync(join(repo, 'src'), 0o757)
  expect(await move(merge)).toEqual({ kind: 'moved' })
})

it('is not written half where its disk has no room', async ({ skip }) => {
  using disk = smallDisk(64)
  if (disk === null) return skip()
  const folder = join(disk.folder, 'checkout')
  leaveMain(repo, 'other')
  git(repo, 'worktree', 'add', '-q', folder, 'main')
  const work = { 'a.txt': 'one\ntwo\nTHREE\n', large: 'x'.repeat(50 * 1024 * 1024) }
  const { task, head } = await appliedIn(lab, repo, work)
  await expect(mergedFrom(task, head)).rejects.toThrow(
    /checked out in .*\/checkout, on a disk that is nearly full: make room there/,
  )
  expect(snapshot(folder)).toEqual(snapshot(repo))
})

it('stands still where its folder is gone, or its git folder lies elsewhere', async () => {
  const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n' })
  const linked = join(lab.folder, 'linked')
  leaveMain(repo, 'other')
  git(repo, 'worktree', 'add', '-q', linked, 'main')
  renameSync(linked, `${linked}.away`)
  await isRefused(
    merge,
    /is checked out in .*linked, which is not there or not to be seen: .* worktree prune/,
  )
  git(repo, 'worktree', 'prune')
  // As a shell hands it on: no argument of Node's can hold it.
  execFileSync('sh', ['-c', `git worktree add -q "$(printf '../caf\\351')" main`], { cwd: repo })
  await isRefused(
    merge,
    /is checked out in .*caf\ufffd, whose name is no UTF-8: check out another branch there, or `git worktree remove` it/,
  )
  execFileSync('sh', ['-c', `git worktree remove "$(printf '../caf\\351')"`], { cwd: repo })
  expect(await move(merge)).toEqual({ kind: 'moved' })

  const apart = join(lab.folder, 'apart')
  git(lab.folder, 'clone', '-q', `--separate-git-dir=${lab.folder}/apart.git`, '-b', 'main', repo, apart)
  repo = apart
  const other = await appliedIn(lab, repo, { 'b.txt': 'x\n' }, 'b')
  await expect(mergedFrom(other.task, other.head)).rejects.toThrow(
    /checked out in .*apart, whose git folder lies elsewhere/,
  )
  git(repo, 'checkout', '-q', '--detach')
  expect(await move(await mergedFrom(other.task, other.head))).toEqual({ kind: 'moved' })
})

it('with a detached HEAD stays where it is while the branch moves', async () => {
  git(repo, 'checkout', '-q', '--detach')
  write(repo, { 'a.txt': 'mine\n' })
  const [head, before] = [git(repo, 'rev-parse', 'HEAD'), snapshot(repo)]
  const { task, head: work } = await appliedIn(lab, repo, { 'src/b.txt': 'B\n' })
  const merge = await mergedFrom(task, work)
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect([git(repo, 'rev-parse', 'HEAD'), snapshot(repo), tip()]).toEqual([head, before, merge.to])
})

it('A036 A039 A040 A048 runs nothing that its repository is set up to run, forward and back', async () => {
  const sprung = boobyTrap(lab, repo, '* diff=evil merge=evil\n')
  write(repo, { 'trapped.txt': 'x\n', 'a.txt': files['a.txt'] })
  const { task, head } = await appliedIn(lab, repo, { 'a.txt': 'one\ntwo\nTHREE\n', 'new.txt': 'new\n' })
  await lab.worktrees.diffInto(task, head, 'main')
  const merge = await mergedFrom(task, head)
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect([existsSync(join(repo, 'new.txt')), sprung()]).toEqual([true, []])
  expect(await undo(merge)).toEqual({ kind: 'moved' })
  expect([existsSync(join(repo, 'new.txt')), sprung()]).toEqual([false, []])
  // The traps work: plain git falls into them.
  git(repo, 'checkout', '-q', '-b', 'other')
  expect(sprung()).toEqual(expect.arrayContaining(['fsmonitor', 'hook-post-checkout']))
})

it.runIf(root)("of another user gets nothing that is root's", async () => {
  execFileSync('chown', ['-R', '12345:12345', repo])
  const merge = await made({ 'a.txt': 'one\ntwo\nTHREE\n', 'new/deep.txt': 'new\n' })
  expect(await move(merge)).toEqual({ kind: 'moved' })
  expect(await undo(merge)).toEqual({ kind: 'moved' })
  expect(await move(merge)).toEqual({ kind: 'moved' })
  const foreign = execFileSync('find', [repo, '!', '-uid', '12345', '-o', '!', '-gid', '12345'], {
    encoding: 'utf8',
  })
  expect([foreign, existsSync(join(repo, 'new/deep.txt'))]).toEqual(['', true])
})
