import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CommitId, HostPath, TreeId } from '../../src/domain/brand.ts'
import { writeCommit } from '../../src/worktree/objects.ts'
import { git, id, openLab, repository } from './lab.ts'

const commits: readonly { name: string; author: string; email: string; message: string }[] = [
  { name: 'plain words', author: 'Ada', email: 'ada@example.org', message: 'One line\n\nand more' },
  { name: 'a message with its line end', author: 'Ada', email: 'ada@example.org', message: 'x\n' },
  { name: 'letters of other scripts', author: 'Łukasz 修', email: 'l@example.org', message: '修复 ✅\n' },
  { name: 'signs that git takes off', author: ' .A<d>a; B.', email: '<a@b.c>,', message: 'x\n' },
]

test.each(commits)('a commit is byte for byte what git would write: $name', async (given) => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const tree = git(repo, 'rev-parse', 'HEAD^{tree}') as TreeId
  const parent = git(repo, 'rev-parse', 'HEAD') as CommitId
  const at = Date.UTC(2026, 6, 1, 12)
  const author = { name: given.author, email: given.email }
  const wanted = { tree, parent, author, at, message: given.message }
  const objects = `${repo}/.git/objects` as HostPath
  const commit = await writeCommit(objects, id('a'), wanted, true)
  expect(git(repo, 'fsck', '--full', '--strict', '--no-dangling')).toBe('')
  const theirs = execFileSync('git', ['-C', repo, 'commit-tree', '-p', parent, '-F', '-', tree], {
    encoding: 'utf8',
    // Ours always ends with a line end.
    input: given.message.replace(/\n?$/, '\n'),
    env: {
      PATH: process.env['PATH'],
      TZ: process.env['TZ'],
      GIT_AUTHOR_NAME: given.author,
      GIT_AUTHOR_EMAIL: given.email,
      GIT_AUTHOR_DATE: `@${at / 1000}`,
      GIT_COMMITTER_NAME: given.author,
      GIT_COMMITTER_EMAIL: given.email,
      GIT_COMMITTER_DATE: `@${at / 1000}`,
    },
  })
  expect(theirs.trim()).toBe(commit)
  expect(await writeCommit(objects, id('a'), wanted, true)).toBe(commit)
})

test('two tasks that make the same commit at the same time make one', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const tree = git(repo, 'rev-parse', 'HEAD^{tree}') as TreeId
  const author = { name: 'Ada', email: 'ada@example.org' }
  const wanted = { tree, parent: null, author, at: 0, message: 'x' }
  const objects = `${repo}/.git/objects` as HostPath
  const both = await Promise.all(
    ['a', 'b', 'c', 'd'].map((letter) => writeCommit(objects, id(letter), wanted, true)),
  )
  expect(new Set(both).size).toBe(1)
  expect(git(repo, 'cat-file', '-t', both[0] ?? '')).toBe('commit')
  expect(readdirSync(`${objects}/${(both[0] ?? '').slice(0, 2)}`)).toEqual([(both[0] ?? '').slice(2)])
})
