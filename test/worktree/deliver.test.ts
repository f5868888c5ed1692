import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { MergeWay } from '../../src/domain/delivery/merge.ts'
import type { Merged, TaskPlace } from '../../src/domain/worktree.ts'
import { remembered } from '../support/remembered.ts'
import { commitOn, leaveMain, tipIn } from '../support/branches.ts'
import { appliedIn, commit, type Files, git, type Lab, openLab, repository, snapshot, write } from './lab.ts'

const files = { 'a.txt': 'one\ntwo\nthree\n', 'src/b.txt': 'b\n', '.env': 'SECRET=1\n' }
const at = Date.UTC(2026, 0, 2, 3, 4, 5)

let lab: Lab
let repo: string
beforeEach(() => {
  lab = openLab()
  repo = repository(lab, files)
})
afterEach(() => lab[Symbol.dispose]())

const applied = (work: Files, letter?: string) => appliedIn(lab, repo, work, letter)

function merged(task: TaskPlace, head: CommitId, how: MergeWay = 'merge', into = 'main'): Promise<Merged> {
  return lab.worktrees.merge(task, head, { into, how, since: task.base.commit, at, message: 'Merge it\n' })
}

async function commitOf(merge: Promise<Merged>): Promise<Extract<Merged, { kind: 'made' }>> {
  const result = await merge
  if (result.kind === 'made') return result
  throw new Error(JSON.stringify(result))
}

const tipOf = (branch: string): string => tipIn(repo, branch)
/** Somebody else's checkout, so that the branch is nobody's. */
const leave = (): void => leaveMain(repo, 'other')

/** What most begin with: the commit that is to be moved to. */
const madeOf = (task: TaskPlace, head: CommitId): Promise<Extract<Merged, { kind: 'made' }>> =>
  remembered(JSON.stringify(['merged', task, head]), lab.folder, () => commitOf(merged(task, head)))

describe('what is merged', () => {
  it('is a commit of two parents that nobody sees, the same each time it is made', async () => {
    leave()
    const { task, head } = await applied({ 'a.txt': 'one\ntwo\nTHREE\n' })
    const ours = commitOn(repo, 'main', { 'a.txt': 'ONE\ntwo\nthree\n' })
    const before = snapshot(repo)
    const refs = git(repo, 'for-each-ref')
    const made = await commitOf(merged(task, head))
    expect(made).toMatchObject({ from: ours, sameTree: false })
    expect((await commitOf(merged(task, head))).commit).toBe(made.commit)
    expect([git(repo, 'for-each-ref'), snapshot(repo)]).toEqual([refs, before])
    await lab.worktrees.move(task, { into: 'main', from: ours, to: made.commit, back: false })
    expect(git(repo, 'show', 'main:a.txt')).toBe('ONE\ntwo\nTHREE')
    expect(git(repo, 'show', 'main:.env')).toBe('SECRET=1')
    expect(git(repo, 'log', '-1', '--format=%P|%an|%aI|%cI|%s', 'main')).toBe(
      `${ours} ${head}|Cofferdam|2026-01-02T03:04:05+00:00|2026-01-02T03:04:05+00:00|Merge it`,
    )
  })

  it('is the task’s own last commit where it is just moved forward, and one commit with all of it where it is squashed', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    expect(await merged(task, head, 'fast-forward')).toEqual({
      kind: 'made',
      from: task.base.commit,
      commit: head,
      sameTree: true,
    })
    const squashed = await commitOf(merged(task, head, 'squash'))
    expect(squashed).toMatchObject({ from: task.base.commit, sameTree: true })
    await lab.worktrees.move(task, { into: 'main', from: squashed.from, to: squashed.commit, back: false })
    expect(git(repo, 'log', '--format=%P', 'main')).toBe(`${task.base.commit}\n`.trim())
    expect(await merged(task, head, 'fast-forward')).toEqual({ kind: 'diverged', from: squashed.commit })
    // All of it is there, though not its commits.
    expect(await merged(task, head)).toEqual({ kind: 'contained', from: squashed.commit })
  })

  it('names the paths that both have changed, and leaves everything as it was', async () => {
    leave()
    const one = await applied({ 'a.txt': 'one\nTWO\nthree\n' }, 'a')
    const two = await applied({ 'a.txt': 'one\n2\nthree\n', 'fine.txt': 'x\n' }, 'b')
    const first = await commitOf(merged(one.task, one.head))
    await lab.worktrees.move(one.task, { into: 'main', from: first.from, to: first.commit, back: false })
    expect(await merged(two.task, two.head)).toEqual({
      kind: 'conflict',
      from: first.commit,
      paths: ['a.txt'],
    })
    expect(tipOf('main')).toBe(first.commit)
    await expect(lab.worktrees.diffInto(two.task, two.head, 'main')).rejects.toThrow(/a\.txt/)
  })

  it('is what a diff against the branch shows, as it is now', async () => {
    leave()
    const { task, head } = await applied({ 'a.txt': 'one\ntwo\nTHREE\n' })
    commitOn(repo, 'main', { 'a.txt': 'ONE\ntwo\nthree\n' })
    const diff = await lab.worktrees.diffInto(task, head, 'main')
    expect(diff.split('\n').filter((line) => /^[+-]\w/.test(line))).toEqual(['-three', '+THREE'])
  })

  it('is nothing where the branch was replaced by one without a common history, which is said with what can be done', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    git(repo, 'branch', '-f', 'main', git(repo, 'commit-tree', 'main^{tree}', '-m', 'anew'))
    const says = {
      code: 'repository',
      message:
        'main shares no history with what the task began from: it was replaced since. Name another branch with `--into`, or have the work done anew by a task that begins from main.',
    }
    const wish = { into: 'main', how: 'merge', since: null, at, message: 'Merge it\n' } as const
    await expect(lab.worktrees.merge(task, head, wish)).rejects.toMatchObject(says)
    // Also before somebody has accepted that others' commits go with it: that would be of no use.
    await expect(merged(task, head)).rejects.toMatchObject(says)
    await expect(lab.worktrees.diffInto(task, head, 'main')).rejects.toMatchObject(says)
  })

  it('has nothing denied in its test box that the branch has brought in', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    commitOn(repo, 'main', { 'deep/config.yaml': 'password: 1\n', 'deep/fine.txt': 'x\n' })
    const { commit } = await commitOf(merged(task, head))
    const tree = await lab.worktrees.materials(task).locate({ kind: 'tree', commit, writes: 'discard' })
    expect(Object.keys(snapshot(tree))).toEqual([
      'a.txt',
      'deep/',
      'deep/fine.txt',
      'new.txt',
      'src/',
      'src/b.txt',
    ])
  })

  it.each([
    ['nowhere', /has no branch nowhere/],
    ['cofferdam', /has no branch cofferdam/],
  ])('needs a branch that is there: %s', async (into, words) => {
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    await expect(merged(task, head, 'merge', into)).rejects.toThrow(words)
  })

  it('goes into no branch that lacks what it began from, as more would come with it, unless that is wanted', async () => {
    git(repo, 'branch', 'release')
    for (const name of ['1', '2']) commit(repo, { [name]: 'x\n' })
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    const wish = { into: 'release', how: 'squash', at, message: 'Merge it\n' } as const
    const [since, from] = [task.base.commit, tipOf('release')]
    expect(await lab.worktrees.merge(task, head, { ...wish, since })).toEqual({
      kind: 'foreign',
      from,
      commits: 2,
    })
    expect(await lab.worktrees.merge(task, head, { ...wish, since: null })).toMatchObject({
      kind: 'made',
      from,
    })
  })

  it('goes into no branch that is another name of one', async () => {
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    git(repo, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
    await expect(merged(task, head, 'merge', 'alias')).rejects.toThrow(/alias .* is another name of main/)
  })
})

describe('a branch that is moved', () => {
  it('is left alone where somebody else has moved it, and there is nothing to be done twice', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    const { from, commit: to } = await madeOf(task, head)
    const theirs = commitOn(repo, 'main', { 'theirs.txt': 'x\n' })
    expect(await lab.worktrees.move(task, { into: 'main', from, to, back: false })).toEqual({
      kind: 'elsewhere',
      tip: theirs,
    })
    expect(tipOf('main')).toBe(theirs)
    const again = await commitOf(merged(task, head))
    const move = { into: 'main', from: again.from, to: again.commit, back: false }
    expect(await lab.worktrees.move(task, move)).toEqual({ kind: 'moved' })
    expect(await lab.worktrees.move(task, move)).toEqual({ kind: 'moved' })
    // Somebody has gone on from it: it has been moved all the same.
    commitOn(repo, 'main', { 'more.txt': 'x\n' })
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    expect(git(repo, 'show', 'main:new.txt')).toBe('new')
  })

  it('goes back, unless somebody has moved it since', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    const { from, commit: to } = await madeOf(task, head)
    await lab.worktrees.move(task, { into: 'main', from, to, back: false })
    const back = { into: 'main', from: to, to: from, back: true }
    expect(await lab.worktrees.move(task, back)).toEqual({ kind: 'moved' })
    expect(tipOf('main')).toBe(from)
    expect(await lab.worktrees.move(task, back)).toEqual({ kind: 'moved' })
    await lab.worktrees.move(task, { into: 'main', from, to, back: false })
    const theirs = commitOn(repo, 'main', { 'theirs.txt': 'x\n' })
    expect(await lab.worktrees.move(task, back)).toEqual({ kind: 'elsewhere', tip: theirs })
    expect(tipOf('main')).toBe(theirs)
    // Somebody has taken it out by hand, and gone on from there.
    git(repo, 'update-ref', 'refs/heads/main', from)
    const without = commitOn(repo, 'main', { 'other.txt': 'x\n' })
    expect(await lab.worktrees.move(task, back)).toEqual({ kind: 'gone', tip: without })
    expect(tipOf('main')).toBe(without)
  })

  it('runs no hook, and is entered in its reflog', async () => {
    leave()
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    for (const hook of [
      'pre-receive',
      'update',
      'post-receive',
      'post-update',
      'reference-transaction',
      'push-to-checkout',
    ]) {
      const file = join(repo, '.git/hooks', hook)
      write(repo, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${lab.folder}/ran-${hook}\nexit 1\n` })
      chmodSync(file, 0o755)
    }
    const { from, commit: to } = await madeOf(task, head)
    await lab.worktrees.move(task, { into: 'main', from, to, back: false })
    expect(tipOf('main')).toBe(to)
    expect(git(repo, 'reflog', '-1', '--format=%H', 'main')).toBe(to)
    expect(existsSync(join(lab.folder, 'ran-update'))).toBe(false)
  })
})

describe('a checkout of the branch', () => {
  const move = async (task: TaskPlace, head: CommitId) => {
    const { from, commit: to } = await madeOf(task, head)
    return { from, to, done: await lab.worktrees.move(task, { into: 'main', from, to, back: false }) }
  }

  it('follows where it is clean, and goes back with an undo; what is not tracked stays', async () => {
    const { task, head } = await applied({ 'a.txt': 'one\ntwo\nTHREE\n', 'new/deep.txt': 'new\n' })
    write(repo, { 'notes.txt': 'mine\n' })
    const { from, to } = await move(task, head)
    expect(git(repo, 'status', '--porcelain')).toBe('?? notes.txt')
    expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('one\ntwo\nTHREE\n')
    expect(existsSync(join(repo, 'new/deep.txt'))).toBe(true)
    await lab.worktrees.move(task, { into: 'main', from: to, to: from, back: true })
    expect(git(repo, 'status', '--porcelain')).toBe('?? notes.txt')
    expect(existsSync(join(repo, 'new'))).toBe(false)
    expect(git(repo, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main')
  })

  it.each([
    ['a change', () => write(repo, { 'a.txt': 'mine\n' }), /changes that are not committed \(a\.txt\)/],
    [
      'a change in its index',
      () => {
        write(repo, { 'src/b.txt': 'mine\n' })
        git(repo, 'add', '-A')
      },
      /not committed \(src\/b\.txt\)/,
    ],
    [
      'a merge under way',
      () => write(repo, { '.git/MERGE_HEAD': `${tipOf('main')}\n` }),
      /a merge is under way/,
    ],
    [
      'a rebase of it under way',
      () => {
        write(repo, { '.git/rebase-merge/head-name': 'refs/heads/main\n' })
        git(repo, 'checkout', '-q', '--detach')
      },
      /a rebase is under way/,
    ],
    ['a filter', () => write(repo, { '.git/info/attributes': '* filter=x\n' }), /files go through a filter/],
    [
      'its files elsewhere',
      () => git(repo, 'config', 'core.worktree', lab.folder),
      /in another folder \(core\.worktree = .*\): take that out with `git -C .* config --unset-all core\.worktree`/,
    ],
    [
      'a second checkout',
      () => git(repo, 'worktree', 'add', '-q', '--force', join(lab.folder, 'second'), 'main'),
      /checked out in several folders/,
    ],
  ])('with %s keeps the branch where it is, and is not touched', async (_, spoil, words) => {
    const { task, head } = await applied({ 'a.txt': 'one\ntwo\nTHREE\n' })
    const { from, commit: to } = await madeOf(task, head)
    spoil()
    const [tip, before] = [tipOf('main'), snapshot(repo)]
    await expect(merged(task, head)).rejects.toThrow(words)
    expect(await lab.worktrees.move(task, { into: 'main', from, to, back: false })).toEqual({
      kind: 'refused',
      text: expect.stringMatching(words),
    })
    expect([tipOf('main'), snapshot(repo)]).toEqual([tip, before])
  })

  it('where git is at work this moment is tried again later', async () => {
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    const { from, commit: to } = await madeOf(task, head)
    write(repo, { '.git/index.lock': '' })
    const move = { into: 'main', from, to, back: false }
    await expect(lab.worktrees.move(task, move)).rejects.toMatchObject({ code: 'busy' })
    rmSync(join(repo, '.git/index.lock'))
    expect(await lab.worktrees.move(task, move)).toEqual({ kind: 'moved' })
  })

  it('keeps a file of somebody’s that is in the way', async () => {
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    const { from, commit: to } = await madeOf(task, head)
    write(repo, { 'new.txt': 'mine\n' })
    const words = /files are in the way that are not tracked \(new\.txt\): move them/
    await expect(merged(task, head)).rejects.toThrow(words)
    expect(await lab.worktrees.move(task, { into: 'main', from, to, back: false })).toEqual({
      kind: 'refused',
      text: expect.stringMatching(words),
    })
    expect([tipOf('main'), readFileSync(join(repo, 'new.txt'), 'utf8')]).toEqual([from, 'mine\n'])
  })

  describe('of work with CRLF', () => {
    const crlf = 'one\r\ntwo\r\n'

    it.each<[string, Files]>([
      ['text', { '.gitattributes': '*.txt text\n' }],
      ['the old name of it', { '.gitattributes': '*.txt crlf\n' }],
      ['a kind of line ends', { 'src/.gitattributes': '*.txt eol=crlf\n' }],
      ['text beside the commits', { '.git/info/attributes': '*.txt text\n' }],
    ])('keeps the branch where it is where its attributes are %s', async (_, attributes) => {
      write(repo, attributes)
      commit(repo, {})
      const { task, head } = await applied({ 'src/fine.txt': 'x\n', 'src/new.txt': crlf, 'new.bin': crlf })
      const [tip, before] = [tipOf('main'), snapshot(repo)]
      const words = /text \(src\/new\.txt\), .*: have their lines end with LF in the work/
      await expect(merged(task, head)).rejects.toThrow(words)
      await expect(merged(task, head, 'fast-forward')).rejects.toThrow(words)
      expect([tipOf('main'), snapshot(repo)]).toEqual([tip, before])
      leave()
      expect((await move(task, head)).done).toEqual({ kind: 'moved' })
    })

    it('keeps the branch where it is where the work itself brings the attributes', async () => {
      const { task, head } = await applied({ '.gitattributes': '*.bat text eol=crlf\n', 'new.bat': crlf })
      await expect(merged(task, head)).rejects.toThrow(/text \(new\.bat\)/)
    })

    it.each<[string, Files]>([
      ['none', {}],
      ['auto', { '.gitattributes': '* text=auto eol=lf\n' }],
      ['binary', { '.gitattributes': '*.txt -text eol=crlf\n' }],
    ])('follows where its attributes are %s', async (_, attributes) => {
      commit(repo, attributes)
      const { task, head } = await applied({ 'new.txt': crlf })
      expect((await move(task, head)).done).toEqual({ kind: 'moved' })
      git(repo, 'rm', '-q', '-r', '--cached', '.')
      git(repo, 'reset', '-q', '--hard')
      expect(git(repo, 'status', '--porcelain')).toBe('')
    })
  })

  it('is brought to the end where a move was broken off after its files were written', async () => {
    const { task, head } = await applied({ 'a.txt': 'one\ntwo\nTHREE\n' })
    const { from, commit: to } = await madeOf(task, head)
    // What git has done of it by then: the objects, the index and the files, and not the branch.
    git(repo, 'fetch', '-q', join(lab.data, 'mirrors', `${task.repository.key}.git`), to)
    git(repo, 'update-index', '-q', '--refresh')
    git(repo, 'read-tree', '-m', '-u', from, to)
    expect(git(repo, 'status', '--porcelain')).toBe('M  a.txt')
    expect(await lab.reopened().move(task, { into: 'main', from, to, back: false })).toEqual({
      kind: 'moved',
    })
    expect([tipOf('main'), git(repo, 'status', '--porcelain')]).toEqual([to, ''])
  })

  it('follows where it names the folder that it is in, and where it is linked to one whose files are elsewhere', async () => {
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    git(repo, 'config', 'core.worktree', '..')
    const { from, to } = await move(task, head)
    expect(git(repo, 'status', '--porcelain')).toBe('')
    await lab.worktrees.move(task, { into: 'main', from: to, to: from, back: true })
    leave()
    const linked = join(lab.folder, 'linked')
    git(repo, 'worktree', 'add', '-q', linked, 'main')
    git(repo, 'config', 'core.worktree', lab.folder)
    expect((await move(task, head)).done).toEqual({ kind: 'moved' })
    expect([existsSync(join(linked, 'new.txt')), git(linked, 'status', '--porcelain')]).toEqual([true, ''])
    git(repo, 'config', 'extensions.worktreeConfig', 'true')
    const back = { into: 'main', from: to, to: from, back: true }
    expect(await lab.worktrees.move(task, back)).toMatchObject({ kind: 'refused' })
  })

  it('in a linked worktree follows too, also of a bare repository', async () => {
    leave()
    const linked = join(lab.folder, 'linked')
    git(repo, 'worktree', 'add', '-q', linked, 'main')
    const { task, head } = await applied({ 'new.txt': 'new\n' })
    await move(task, head)
    expect([existsSync(join(linked, 'new.txt')), git(linked, 'status', '--porcelain')]).toEqual([true, ''])
    const bare = join(lab.folder, 'bare.git')
    git(lab.folder, 'clone', '-q', '--bare', repo, bare)
    const beside = join(lab.folder, 'beside')
    git(bare, 'worktree', 'add', '-q', beside, 'main')
    repo = bare
    const other = await applied({ 'more.txt': 'more\n' }, 'b')
    await move(other.task, other.head)
    expect(git(bare, 'show', 'main:more.txt')).toBe('more')
    expect([existsSync(join(beside, 'more.txt')), git(beside, 'status', '--porcelain')]).toEqual([true, ''])
  })

  it('has none of its filters run', async () => {
    const ran = join(lab.folder, 'ran')
    git(repo, 'config', 'filter.x.clean', `touch ${ran}; cat`)
    git(repo, 'config', 'filter.x.smudge', `touch ${ran}; cat`)
    git(repo, 'config', 'filter.x.required', 'true')
    const { task, head } = await applied({ '.gitattributes': '*.txt filter=x\n', 'new.txt': 'new\n' })
    await expect(move(task, head)).rejects.toThrow(/files go through a filter/)
    leave()
    const { to } = await move(task, head)
    expect([tipOf('main'), existsSync(ran)]).toEqual([to, false])
  })
})
