import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import type { Complaint } from '../../src/worktree/complaints.ts'
import type { Difference } from '../../src/worktree/gate.ts'
import { blamed } from '../../src/worktree/offenders.ts'
import type { RawPath } from '../../src/worktree/raw.ts'
import { boxOf, commit, git, made, openLab, repository, taskOn, write, type Files, type Lab } from './lab.ts'

const longLine = `a.txt ${'x'.repeat(3000)}\n`
const badPath = '[submodule "s"]\n\tpath = -x\n\turl = https://example.org/s\n'
const badUrl = '[submodule "s"]\n\tpath = s\n\turl = -u./x\n'
const good = '[submodule "s"]\n\tpath = s\n\turl = https://example.org/s\n'

async function opened(lab: Lab, files: Files): Promise<{ task: TaskPlace; box: string; repo: string }> {
  const repo = repository(lab, files)
  const task = await taskOn(lab.worktrees, repo)
  await lab.worktrees.open(task)
  return { task, box: await boxOf(lab.worktrees, task), repo }
}

interface Row {
  readonly name: string
  readonly base?: Files
  /** What the agent writes that no repository takes. */
  readonly bad: Files
  readonly says: string
}

const table: readonly Row[] = [
  { name: 'attributes with a long line', bad: { '.gitattributes': longLine }, says: 'too long lines' },
  { name: 'attributes in a folder', bad: { 'src/.gitattributes': longLine }, says: 'too long lines' },
  { name: 'a submodule at an option', bad: { '.gitmodules': badPath }, says: 'submodule path: -x' },
  { name: 'a submodule from an option', bad: { 'new/.gitmodules': badUrl }, says: 'submodule url: -u./x' },
  { name: 'a name that means the same elsewhere', bad: { 'GITMOD~1': badUrl }, says: 'submodule url: -u./x' },
  { name: 'a name with a backslash', bad: { 'x\\.gitmodules': badUrl }, says: 'submodule url: -u./x' },
  { name: 'a folder of git behind a backslash', bad: { 'x\\.git': 'x' }, says: 'a name that git refuses' },
  {
    name: 'a file that was good',
    base: { '.gitmodules': good },
    bad: { '.gitmodules': badUrl },
    says: 'submodule url: -u./x',
  },
]

test.each(table)('$name is undone alone, and the rest is handed over', async ({ base = {}, bad, says }) => {
  using lab = openLab()
  const { worktrees } = lab
  const { task, box, repo } = await opened(lab, { 'a.txt': 'a\n', ...base })
  write(box, { ...bad, 'ok.txt': 'ok\n' })
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
  const result = made(await worktrees.candidate(task, task.base.commit, 'x'))
  const [name = ''] = Object.keys(bad)
  expect(result).toMatchObject({
    changed: true,
    stat: { files: 1, insertions: 1, deletions: 0 },
    leftOut: [{ path: name, why: expect.stringContaining(says) as string, undone: true }],
  })
  await worktrees.checkpoint(task, result.commit)
  await worktrees.handover(task, result.commit)
  expect(git(repo, 'diff', '--name-only', 'main', task.branch)).toBe('ok.txt')
  // The next step finds all as the commit has it.
  await worktrees.restore(task, result.commit)
  for (const path of Object.keys(bad))
    expect(existsSync(`${box}/${path}`) ? readFileSync(`${box}/${path}`, 'utf8') : undefined).toBe(base[path])
  expect(await worktrees.verify(task, result.commit)).toEqual([])
  expect(made(await worktrees.candidate(task, result.commit, 'x'))).toMatchObject({
    changed: false,
    leftOut: [],
  })
})

test('a step that did nothing else changed nothing', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab, { 'a.txt': 'a\n' })
  write(box, { '.gitmodules': badUrl })
  const result = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  expect(result).toMatchObject({ changed: false, commit: task.base.commit, leftOut: [{ undone: true }] })
  await lab.worktrees.restore(task, task.base.commit)
  expect(existsSync(`${box}/.gitmodules`)).toBe(false)
})

const bases: readonly { name: string; base: Files; also: Files; says: string }[] = [
  {
    name: 'a submodule',
    base: { '.gitmodules': badUrl },
    also: { 'n/.gitattributes': longLine },
    says: 'long lines',
  },
  {
    name: 'attributes',
    base: { '.gitattributes': longLine },
    also: { 'n/.gitmodules': badUrl },
    says: '-u./x',
  },
]

test.each(bases)(
  '$name that the base has is no obstacle, and lets nothing else through',
  async ({ base, also, says }) => {
    using lab = openLab()
    const { worktrees } = lab
    const { task, box, repo } = await opened(lab, { 'a.txt': 'a\n', ...base })
    write(box, { ...also, 'a.txt': 'b\n' })
    const result = made(await worktrees.candidate(task, task.base.commit, 'x'))
    expect(result.leftOut).toMatchObject([{ path: Object.keys(also)[0], undone: true }])
    await worktrees.checkpoint(task, result.commit)
    await worktrees.handover(task, result.commit)
    expect(git(repo, 'diff', '--name-only', 'main', task.branch)).toBe('a.txt')
    // The far end is a wall of its own.
    git(repo, 'checkout', '-q', '--detach')
    commit(repo, also)
    const bad = commit(repo, {})
    const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
    git(mirror, 'fetch', '-q', repo, bad)
    git(repo, 'checkout', '-q', 'main')
    git(repo, 'reflog', 'expire', '--expire=now', '--all')
    git(repo, 'gc', '-q', '--prune=now')
    const other = { ...task, branch: 'cofferdam/other' }
    await expect(worktrees.handover(other, bad)).rejects.toThrow(says)
  },
)

const difference = (path: string, id: string, after = '100644'): Difference => ({
  path: path as RawPath,
  before: '000000',
  after,
  idBefore: '0',
  id,
})
const about = (object: string): Complaint => ({ object, message: 'm', says: 'bad' })

const blames: readonly {
  name: string
  differences: readonly Difference[]
  about: string
  paths: readonly string[]
}[] = [
  {
    name: 'a file',
    differences: [difference('.gitmodules', 'x'), difference('a', 'y')],
    about: 'x',
    paths: ['.gitmodules'],
  },
  {
    name: 'one that lies there twice',
    differences: [difference('a/.gitmodules', 'x'), difference('b/.gitmodules', 'x')],
    about: 'x',
    paths: ['a/.gitmodules', 'b/.gitmodules'],
  },
  {
    name: 'a folder, for what is odd in it',
    differences: [difference('d/x\\y', '1'), difference('d/a', '2'), difference('d/e/x\\y', '3')],
    about: 'd',
    paths: ['d/x\\y'],
  },
  {
    name: 'the topmost folder',
    differences: [difference('x\\y', '1'), difference('d/x\\y', '2')],
    about: 'root',
    paths: ['x\\y'],
  },
  { name: 'what was there before', differences: [difference('a', '1')], about: 'old', paths: [] },
  { name: 'what is gone', differences: [difference('x\\y', '0', '000000')], about: 'root', paths: [] },
]

test.each(blames)('a complaint about $name', ({ differences, about: object, paths }) => {
  const trees = [
    { id: 'd', path: 'd' as RawPath },
    { id: 'root', path: '' as RawPath },
  ]
  expect(blamed(differences, trees, [about(object)]).map(({ difference: { path } }) => path)).toEqual(paths)
})
