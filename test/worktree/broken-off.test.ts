import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Move, TaskPlace } from '../../src/domain/worktree.ts'
import { appliedIn, commit, type Files, git, type Lab, openLab, repository, snapshot, write } from './lab.ts'

const root = process.geteuid?.() === 0
const files = { 'a.txt': 'one\ntwo\nthree\n', 'other.txt': 'x\n', 'src/b.txt': 'b\n' }
const work = { 'a.txt': 'one\ntwo\nTHREE\n', 'new/long.txt': 'a long line\n'.repeat(100), 'src/b.txt': 'B\n' }

let lab: Lab
let repo: string
let task: TaskPlace
let move: Move
beforeEach(async () => {
  lab = openLab()
  repo = repository(lab, files)
  await mergeOf(work, 'a')
})
afterEach(() => lab[Symbol.dispose]())

/** Makes the merge of these files that is moved to. */
async function mergeOf(wanted: Files, letter: string): Promise<void> {
  const applied = await appliedIn(lab, repo, wanted, letter)
  task = applied.task
  const wish = {
    into: 'main',
    how: 'merge',
    since: null,
    at: Date.UTC(2026, 0, 2),
    message: 'Merge it\n',
  } as const
  const merged = await lab.worktrees.merge(task, applied.head, wish)
  if (merged.kind !== 'made') throw new Error(JSON.stringify(merged))
  move = { into: 'main', from: merged.from, to: merged.commit, back: false }
}

/** What is on record while git writes a checkout. */
function begun(to: CommitId, folder = repo): void {
  const record = { folder, from: to === move.to ? move.from : move.to, to }
  const file = join(lab.data, `mirrors/${task.repository.key}.git/cofferdam-moving.json`)
  writeFileSync(file, JSON.stringify(record))
}

/** As git leaves a checkout where it is killed while it writes: the index is as it was. */
const half = { 'a.txt': work['a.txt'], 'new/long.txt': work['new/long.txt'].slice(0, 100) }

const state = () => [git(repo, 'rev-parse', 'main'), git(repo, 'status', '--porcelain'), snapshot(repo)]

it('a checkout that is half written by a move is brought to its end by the next', async () => {
  write(repo, half)
  begun(move.to)
  expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
  expect(state()).toEqual([move.to, '', { ...files, 'new/': '', 'src/': '', ...work }])
})

it('a checkout that is half written by a move with a large file is brought to its end likewise', async () => {
  const large = 'a line\n'.repeat(2_500_000)
  await mergeOf({ ...work, 'large.txt': large }, 'b')
  write(repo, { ...half, 'large.txt': large })
  begun(move.to)
  expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
  expect([git(repo, 'rev-parse', 'main'), git(repo, 'status', '--porcelain')]).toEqual([move.to, ''])
  expect(readFileSync(join(repo, 'large.txt'), 'utf8') === large).toBe(true)
})

it.each<[string, string, readonly string[]]>([
  ['eol', '*.txt eol=crlf\n', []],
  ['core.autocrlf', '', ['core.autocrlf', 'true']],
  ['core.eol', '*.txt text=auto\n', ['core.eol', 'crlf']],
])(
  'a checkout whose lines end with CRLF, by %s, is brought to its end likewise',
  async (_, attributes, setting) => {
    const crlf = (text: string): string => text.replaceAll('\n', '\r\n')
    writeFileSync(join(repo, '.git/info/attributes'), attributes)
    if (setting.length > 0) git(repo, 'config', ...setting)
    const begins = crlf(work['new/long.txt']).slice(0, 100)
    write(repo, { 'a.txt': crlf(work['a.txt']), 'new/long.txt': begins })
    begun(move.to)
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    const written = Object.fromEntries(Object.entries(work).map(([path, text]) => [path, crlf(text)]))
    expect(state()).toEqual([move.to, '', { ...files, 'new/': '', 'src/': '', ...written }])
  },
)

describe('a checkout whose files are not written as they are stored', () => {
  const stored = { 'a.txt': '$Id$\none\n', 'other.txt': '$Id$\n', 'src/b.txt': 'b\n' }
  const later = { 'a.txt': '$Id$\ntwo\n', 'new.txt': 'new\n$Id$\n', 'src/b.txt': 'B\n' }

  /** The objects are there before a file is written. */
  async function prepare(): Promise<void> {
    await mergeOf(later, 'b')
    git(repo, 'fetch', '-q', join(lab.data, `mirrors/${task.repository.key}.git`), move.to)
  }

  /** As git writes these files of the commit. */
  function writtenBy(commitId: string): Record<string, Buffer> {
    const clone = join(lab.folder, 'clone')
    git(lab.folder, 'clone', '-q', '-s', '--no-checkout', repo, clone)
    writeFileSync(join(clone, '.git/info/attributes'), readFileSync(join(repo, '.git/info/attributes')))
    git(clone, 'fetch', '-q', join(lab.data, `mirrors/${task.repository.key}.git`), commitId)
    git(clone, 'checkout', '-q', '--detach', commitId)
    return Object.fromEntries(Object.keys(later).map((path) => [path, readFileSync(join(clone, path))]))
  }

  it.each<[string, string]>([
    ['keywords', '*.txt ident\n'],
    ['an encoding', '*.txt working-tree-encoding=UTF-16LE\n'],
    ['keywords, an encoding and CRLF', '*.txt text ident eol=crlf working-tree-encoding=UTF-16LE\n'],
  ])('but with %s, is brought to its end likewise', async (_, attributes) => {
    writeFileSync(join(repo, '.git/info/attributes'), '')
    commit(repo, stored)
    writeFileSync(join(repo, '.git/info/attributes'), attributes)
    git(repo, 'rm', '-q', '-r', '--cached', '.')
    git(repo, 'reset', '-q', '--hard')
    await prepare()
    const written = writtenBy(move.to)
    expect(written['a.txt']?.toString('latin1')).not.toBe(later['a.txt'])
    writeFileSync(join(repo, 'a.txt'), written['a.txt'] ?? '')
    writeFileSync(join(repo, 'new.txt'), written['new.txt']?.subarray(0, 11) ?? '')
    begun(move.to)
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    expect([git(repo, 'rev-parse', 'main'), git(repo, 'status', '--porcelain')]).toEqual([move.to, ''])
    for (const [path, content] of Object.entries(written))
      expect(readFileSync(join(repo, path))).toEqual(content)
  })

  it('is as it was where somebody has changed one of them since', async () => {
    writeFileSync(join(repo, '.git/info/attributes'), '*.txt ident\n')
    commit(repo, stored)
    await prepare()
    writeFileSync(join(repo, 'a.txt'), writtenBy(move.to)['a.txt'] ?? '')
    write(repo, { 'src/b.txt': 'mine\n' })
    begun(move.to)
    const before = state()
    expect(await lab.reopened().move(task, move)).toMatchObject({ kind: 'refused' })
    expect(state()).toEqual(before)
  })

  it('is taken back where its owner has older keywords in one of them', async () => {
    writeFileSync(join(repo, '.git/info/attributes'), '*.txt ident\n')
    commit(repo, { ...stored, 'a.txt': `$Id: ${'1'.repeat(40)} $\none\n` })
    expect(git(repo, 'show', 'HEAD:a.txt')).toBe('$Id$\none')
    await prepare()
    write(repo, { 'src/b.txt': 'B\n' })
    begun(move.to)
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    expect([git(repo, 'rev-parse', 'main'), git(repo, 'status', '--porcelain')]).toEqual([move.to, ''])
  })
})

it('a checkout that is half written by an undo is brought to its end by the next', async () => {
  await lab.worktrees.move(task, move)
  write(repo, { 'src/b.txt': 'b\n' })
  begun(move.from)
  const back = { into: 'main', from: move.to, to: move.from, back: true }
  expect(await lab.reopened().move(task, back)).toEqual({ kind: 'moved' })
  expect(state()).toEqual([move.from, '', { ...files, 'src/': '' }])
})

it.each<[string, Files, boolean]>([
  ['somebody has changed something since', { ...half, 'src/b.txt': 'mine\n' }, true],
  ['somebody has shortened a second file', { ...half, 'src/b.txt': '' }, true],
  ['somebody has changed something else', { ...half, 'other.txt': 'mine\n' }, true],
  ['no move was under way', half, false],
])('nothing of a checkout is taken back where %s', async (_, left, isBegun) => {
  write(repo, left)
  if (isBegun) begun(move.to)
  const before = state()
  expect(await lab.reopened().move(task, move)).toEqual({
    kind: 'refused',
    text: expect.stringMatching(/changes that are not committed \(a\.txt/),
  })
  expect(state()).toEqual(before)
})

it('nothing of a checkout is taken back where the move was of another one', async () => {
  write(repo, half)
  begun(move.to, join(lab.folder, 'elsewhere'))
  const before = state()
  expect(await lab.reopened().move(task, move)).toMatchObject({ kind: 'refused' })
  expect(state()).toEqual(before)
})

describe('what git is told not to look at in a checkout', () => {
  const mine = { 'other.txt': 'my own settings\n' }
  const content = (): string => readFileSync(join(repo, 'other.txt'), 'utf8')

  it.each<[string, Files]>([
    ['before it had written anything', {}],
    ['half way', half],
  ])('stays where a move was broken off %s', async (_, left) => {
    git(repo, 'update-index', '--assume-unchanged', 'other.txt')
    write(repo, { ...mine, ...left })
    begun(move.to)
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    expect([content(), git(repo, 'status', '--porcelain')]).toEqual([mine['other.txt'], ''])
  })

  it('is not taken back where the move would write it', async () => {
    git(repo, 'update-index', '--assume-unchanged', 'src/b.txt')
    write(repo, half)
    begun(move.to)
    const before = state()
    expect(await lab.reopened().move(task, move)).toMatchObject({ kind: 'refused' })
    expect(state()).toEqual(before)
  })

  it('is not taken for the rest of a move that had come to its end', async () => {
    await lab.worktrees.move(task, move)
    // The process ended before it could say so.
    begun(move.to)
    expect(await lab.reopened().move(task, move)).toEqual({ kind: 'moved' })
    git(repo, 'reset', '-q', '--hard', move.from)
    const later = { ...half, 'a.txt': 'one\ntwo\nTHR' }
    write(repo, later)
    const before = state()
    expect(await lab.reopened().move(task, move)).toMatchObject({ kind: 'refused' })
    expect(state()).toEqual(before)
  })
})

it.runIf(root)('a checkout that git cannot write to its end is as it was before', async ({ skip }) => {
  const pinned = join(repo, 'src/b.txt')
  try {
    // Nobody can put another file in its place.
    execFileSync('mount', ['--bind', pinned, pinned], { stdio: 'ignore' })
  } catch {
    return skip()
  }
  try {
    const before = state()
    expect(await lab.worktrees.move(task, move)).toEqual({
      kind: 'refused',
      text: expect.stringMatching(/does not let main be moved\. .*src\/b\.txt/),
    })
    expect(state()).toEqual(before)
  } finally {
    execFileSync('umount', [pinned])
  }
  expect(await lab.worktrees.move(task, move)).toEqual({ kind: 'moved' })
  expect(git(repo, 'status', '--porcelain')).toBe('')
})
