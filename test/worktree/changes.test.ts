import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { wantsContent } from '../../src/domain/marks/judge.ts'
import type { Change } from '../../src/domain/marks/mark.ts'
import { boxOf, type Files, git, type Lab, made, openLab, repository, taskOn, write } from './lab.ts'

let lab: Lab
beforeEach(() => {
  lab = openLab()
})
afterEach(() => lab[Symbol.dispose]())

const wanted = (path: string): boolean => path.endsWith('.txt')

/** What differs after `work` has been done in the worktree of a task on these files. */
async function changed(
  files: Files,
  work: (tree: string, repo: string) => void,
  wants: (path: string) => boolean = wanted,
): Promise<readonly Change[] | null> {
  const repo = repository(lab, files)
  const task = await taskOn(lab.worktrees, repo, { readonly: [], deny: [] })
  await lab.worktrees.open(task)
  work(await boxOf(lab.worktrees, task), repo)
  const { commit } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  return lab.worktrees.changes(task, task.base.commit, commit, wants)
}

describe('what a task changes', () => {
  it('is named path by path, with the content of what is wanted', async () => {
    const long = 'one\ntwo\nthree\nfour\nfive\nsix\n'
    const changes = await changed(
      {
        'a.txt': 'a\n',
        'gone.txt': 'gone\n',
        'moved.txt': long,
        'link.txt': 'file\n',
        'b.md': 'b\n',
        'same.txt': 's\n',
      },
      (tree) => {
        write(tree, { 'a.txt': 'A\n', 'new/ü \n.txt': 'new\n', 'b.md': 'B\n', 'there.txt': `${long}seven\n` })
        for (const name of ['gone.txt', 'moved.txt', 'link.txt']) rmSync(join(tree, name))
        symlinkSync('a.txt', join(tree, 'link.txt'))
      },
    )
    const plain = (
      path: string,
      what: Change['what'],
      before: string | null,
      after: string | null,
    ): Change => ({
      path,
      from: path,
      what,
      before,
      after,
    })
    expect(changes).toHaveLength(6)
    expect(changes).toEqual(
      expect.arrayContaining([
        plain('a.txt', 'changed', 'a\n', 'A\n'),
        plain('b.md', 'changed', null, null),
        plain('gone.txt', 'deleted', 'gone\n', null),
        plain('link.txt', 'changed', 'file\n', null),
        plain('new/ü \n.txt', 'added', null, 'new\n'),
        { path: 'there.txt', from: 'moved.txt', what: 'changed', before: long, after: `${long}seven\n` },
      ]),
    )
  })

  it('is nothing where nothing changed', async () => {
    const repo = repository(lab, { 'a.txt': 'a\n' })
    const task = await taskOn(lab.worktrees, repo)
    await lab.worktrees.open(task)
    expect(await lab.worktrees.changes(task, task.base.commit, task.base.commit, wanted)).toEqual([])
  })

  it('is read up to a size, each file and all together', async () => {
    const kib = (count: number): string => 'x'.repeat(count * 1024)
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`m${index}.txt`, `${index}${kib(240)}`]),
    )
    const changes = await changed({ 'a.txt': 'a' }, (tree) => write(tree, { 'large.txt': kib(257), ...many }))
    const unread = (changes ?? []).filter((change) => change.unread === true).map(({ path }) => path)
    expect(unread).toContain('large.txt')
    expect(unread).toHaveLength(1 + 20 - 17)
    for (const { path, after } of changes ?? []) expect(after === null).toBe(unread.includes(path))
  })

  it('is found without running or obeying anything of the tree or of a repository', async () => {
    const trap = join(lab.folder, 'trap')
    const proof = `${trap}-ran`
    writeFileSync(trap, `#!/bin/sh\ntouch ${proof}\ncat "$1" 2>/dev/null\n`, { mode: 0o755 })
    const changes = await changed(
      { 'a.txt': 'a\n', '.gitattributes': '* diff=evil filter=evil\n' },
      (tree, repo) => {
        for (const key of [
          'diff.evil.textconv',
          'diff.evil.command',
          'diff.external',
          'filter.evil.smudge',
          'core.fsmonitor',
        ])
          git(repo, 'config', key, trap)
        write(tree, { 'a.txt': 'b\n', '.gitattributes': '* diff=evil -diff binary\n' })
      },
    )
    expect(changes?.map(({ path, after }) => [path, after])).toEqual([
      ['.gitattributes', null],
      ['a.txt', 'b\n'],
    ])
    expect(existsSync(proof)).toBe(false)
  })

  it('is not known where git cannot tell', async () => {
    const repo = repository(lab, { 'a.txt': 'a\n' })
    const task = await taskOn(lab.worktrees, repo)
    await lab.worktrees.open(task)
    writeFileSync(join(lab.folder, 'git'), '#!/bin/sh\necho "fatal: out of memory" >&2\nexit 128\n', {
      mode: 0o755,
    })
    const { commit } = task.base
    const broken = lab.reopened({ searchPath: `${lab.folder}:/usr/bin:/bin` })
    expect(await broken.changes(task, commit, commit, wanted)).toBeNull()
  })

  it('ends with a signal, and says so', async () => {
    const repo = repository(lab, { 'a.txt': 'a\n' })
    const task = await taskOn(lab.worktrees, repo)
    await lab.worktrees.open(task)
    const { commit } = task.base
    const ended = AbortSignal.abort('halted')
    await expect(lab.worktrees.changes(task, commit, commit, wantsContent, ended)).rejects.toThrow(
      /was ended/,
    )
  })
})
