import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { boobyTrap } from './booby-trap.ts'
import {
  boxOf,
  commit,
  git,
  id,
  made,
  openLab,
  repository,
  snapshot,
  taskOn,
  write,
  type Lab,
} from './lab.ts'

const root = process.geteuid?.() === 0
const files = { 'a.txt': 'a\n', 'src/b.txt': 'b\n', '.env': 'SECRET=1\n' }

/** One step with one new file, handed over to the source. */
async function goThrough(lab: Lab, repo: string, letter = 'a'): Promise<TaskPlace> {
  const { worktrees } = lab
  const task = await taskOn(worktrees, repo, {}, letter)
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  write(box, { 'new.txt': 'new\n' })
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
  const { commit } = made(await worktrees.candidate(task, task.base.commit, 'step 1\n'))
  await worktrees.checkpoint(task, commit)
  await worktrees.handover(task, commit)
  await worktrees.handover(task, commit)
  await worktrees.restore(task, commit)
  await worktrees.materials(task).locate({ kind: 'tree', commit, writes: 'discard' })
  return task
}

function shows(repo: string, task: TaskPlace): string {
  return git(repo, '-c', 'safe.directory=*', 'show', '--format=', '--name-status', task.branch)
}

test('a shallow clone', async () => {
  using lab = openLab()
  const origin = repository(lab, files, 'origin')
  commit(origin, { 'a.txt': 'b\n' })
  commit(origin, { 'a.txt': 'c\n' })
  git(lab.folder, 'clone', '-q', '--depth', '1', `file://${origin}`, 'shallow')
  const repo = join(lab.folder, 'shallow')
  const before = readFileSync(`${repo}/.git/shallow`, 'utf8')
  expect(shows(repo, await goThrough(lab, repo))).toBe('A\tnew.txt')
  expect(readFileSync(`${repo}/.git/shallow`, 'utf8')).toBe(before)
})

test('a repository that borrows objects from another stands alone in its mirror', async () => {
  using lab = openLab()
  const origin = repository(lab, files, 'origin')
  git(lab.folder, 'clone', '-q', '--shared', origin, 'borrower')
  const repo = join(lab.folder, 'borrower')
  expect(existsSync(`${repo}/.git/objects/info/alternates`)).toBe(true)
  const task = await goThrough(lab, repo)
  expect(shows(repo, task)).toBe('A\tnew.txt')
  expect(existsSync(`${lab.data}/mirrors/${task.repository.key}.git/objects/info/alternates`)).toBe(false)
})

test('objects of a mirror are hardlinked', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await goThrough(lab, repo)
  const object = git(repo, 'rev-parse', 'HEAD').replace(/^(..)/, '$1/')
  expect(lstatSync(`${lab.data}/mirrors/${task.repository.key}.git/objects/${object}`).ino).toBe(
    lstatSync(`${repo}/.git/objects/${object}`).ino,
  )
})

test('a branch named cofferdam is in the way, and is gone round', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  expect(await lab.worktrees.branchFor(repo, id('a'))).toBe('cofferdam/aaaaaaaaaa')
  await goThrough(lab, repo, 'b')
  git(repo, 'branch', '-D', 'cofferdam/bbbbbbbbbb')
  git(repo, 'branch', 'cofferdam')
  const task = await goThrough(lab, repo)
  expect(task.branch).toBe('cofferdam-aaaaaaaaaa')
  expect(shows(repo, task)).toBe('A\tnew.txt')
})

test('a bare repository, a linked worktree, a subfolder, a tag, SHA-256', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  git(lab.folder, 'clone', '-q', '--bare', repo, 'bare.git')
  expect(shows(`${lab.folder}/bare.git`, await goThrough(lab, `${lab.folder}/bare.git`, 'a'))).toBe(
    'A\tnew.txt',
  )
  git(repo, 'worktree', 'add', '-q', '-b', 'side', '../linked')
  expect(shows(repo, await goThrough(lab, `${lab.folder}/linked`, 'b'))).toBe('A\tnew.txt')
  expect((await lab.worktrees.inspect(`${repo}/src`, null)).path).toBe(repo)
  git(repo, 'tag', 'v1')
  expect(await lab.worktrees.inspect(repo, 'v1')).toMatchObject({
    ref: 'v1',
    commit: git(repo, 'rev-parse', 'HEAD'),
  })
  const sha256 = join(lab.folder, 'sha256')
  git(lab.folder, 'init', '-q', '--object-format=sha256', sha256)
  commit(sha256, files)
  expect(shows(sha256, await goThrough(lab, sha256, 'c'))).toBe('A\tnew.txt')
})

test('a commit made after the mirror, on no branch any more', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  await goThrough(lab, repo, 'a')
  const later = commit(repo, { 'later.txt': 'x\n' })
  const task = await taskOn(lab.worktrees, repo, {}, 'b')
  git(repo, 'reset', '-q', '--hard', 'HEAD~1')
  await lab.worktrees.open(task)
  expect(task.base.commit).toBe(later)
  expect(snapshot(await boxOf(lab.worktrees, task))['later.txt']).toBe('x\n')
})

/** All of a repository, byte for byte, with modes and times, but what a handover may add. */
function bytesOf(folder: string): Record<string, string> {
  const all: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const added = /\/\.git\/(?:objects\/|refs\/heads\/cofferdam|logs\/refs\/heads\/cofferdam)/.test(path)
    if (added || entry.isDirectory()) continue
    const stats = lstatSync(path)
    const content = entry.isFile() ? createHash('sha1').update(readFileSync(path)).digest('hex') : ''
    all[path] = `${stats.mode} ${stats.uid} ${stats.mtimeMs} ${stats.ino} ${content}`
  }
  return all
}

test('B20 a dirty, moving source is neither touched nor touches the task', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  write(repo, { 'a.txt': 'stashed\n' })
  git(repo, 'stash')
  write(repo, { 'a.txt': 'dirty\n', 'untracked.txt': 'x\n', 'staged.txt': 'x\n' })
  git(repo, 'add', 'staged.txt')
  git(repo, 'tag', 'mark')
  const before = bytesOf(repo)
  const { worktrees } = lab
  const task = await taskOn(worktrees, repo)
  const { notes } = await worktrees.inspect(repo, null)
  expect(notes).toEqual([
    'Uncommitted changes are not part of the task: 3 (a.txt, staged.txt, untracked.txt).',
  ])
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  expect(snapshot(box)['a.txt']).toBe('a\n')
  write(box, { 'new.txt': 'new\n' })
  const { commit: head } = made(await worktrees.candidate(task, task.base.commit, 'x'))
  await worktrees.checkpoint(task, head)
  await worktrees.handover(task, head)
  expect(bytesOf(repo)).toEqual(before)
  // Now the source moves on and checks out another branch.
  git(repo, 'checkout', '-q', '-f', '-b', 'elsewhere')
  commit(repo, { 'a.txt': 'moved on\n' })
  await worktrees.restore(task, head)
  write(await boxOf(worktrees, task), { 'more.txt': 'more\n' })
  const { commit: next } = made(await worktrees.candidate(task, head, 'y'))
  await worktrees.handover(task, next)
  expect(git(repo, 'rev-parse', task.branch)).toBe(next)
  expect(git(repo, 'status', '--porcelain')).toBe('')
  await worktrees.discard(task)
  expect(git(repo, 'rev-parse', task.branch)).toBe(next)
})

test('a branch that a person moved or has checked out is refused in one sentence', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await goThrough(lab, repo)
  const box = await boxOf(lab.worktrees, task)
  write(box, { 'more.txt': 'x\n' })
  const head = git(repo, 'rev-parse', task.branch)
  const { commit: next } = made(await lab.worktrees.candidate(task, head as typeof task.base.commit, 'x'))
  git(repo, 'checkout', '-q', task.branch)
  await expect(lab.worktrees.handover(task, next)).rejects.toThrow(
    /is checked out in .*: check out another one/,
  )
  commit(repo, { 'theirs.txt': 'x\n' })
  git(repo, 'checkout', '-q', 'main')
  await expect(lab.worktrees.handover(task, next)).rejects.toThrow(/holds commits that are not the task's/)
  expect(readFileSync(`${repo}/a.txt`, 'utf8')).toBe('a\n')
})

const settled: readonly { name: string; value: string; refused: boolean }[] = [
  { name: 'all branches', value: 'refs/heads', refused: true },
  { name: 'our branches', value: 'am:refs/heads/cofferdam/', refused: true },
  { name: 'all but others', value: '!:refs/for', refused: true },
  { name: 'refs of another kind', value: 'refs/for', refused: false },
  { name: 'other branches', value: 'refs/heads/coffer', refused: false },
  { name: 'all but branches', value: '!:refs/heads', refused: false },
]

test.each(settled)('a repository that leaves $name to a hook: refused $refused', async (given) => {
  using lab = openLab()
  const repo = repository(lab, files)
  git(repo, 'config', 'receive.procReceiveRefs', given.value)
  if (given.refused)
    await expect(lab.worktrees.inspect(repo, null)).rejects.toThrow(
      /leaves new branches to a hook \(receive\.procReceiveRefs = .*config --unset-all receive\.procReceiveRefs/,
    )
  else expect(shows(repo, await goThrough(lab, repo))).toBe('A\tnew.txt')
})

test('settings that hide branches or bound what is pushed do not keep the branch out', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  git(repo, 'config', 'transfer.hideRefs', 'refs/heads')
  git(repo, 'config', '--add', 'receive.hideRefs', 'refs/heads/cofferdam')
  git(repo, 'config', 'receive.maxInputSize', '1')
  expect(shows(repo, await goThrough(lab, repo))).toBe('A\tnew.txt')
})

/** A commit of a tree made of these entries, as no `git add` would make it. */
function commitOf(repo: string, ...entries: readonly string[]): string {
  const made = execFileSync('git', ['-C', repo, 'mktree', '-z'], {
    input: entries.map((line) => `${line}\0`).join(''),
  })
  const tree = made.toString().trim()
  git(repo, 'update-ref', 'refs/heads/main', git(repo, 'commit-tree', '-m', 'odd', tree))
  return tree
}

const strange: readonly { name: string; in: string; says: RegExp }[] = [
  { name: '..', in: '040000 tree', says: /"\.\.\/b\.txt".*leads out of its folder/ },
  { name: '.', in: '040000 tree', says: /"\.\/b\.txt".*leads out of its folder/ },
  { name: '.git', in: '040000 tree', says: /"\.git\/b\.txt".*git's own folder/ },
  { name: '.GIT', in: '100644 blob', says: /"\.GIT".*git's own folder/ },
  { name: 'git~1', in: '100644 blob', says: /"git~1".*git's own folder/ },
  { name: '.g\u200cit', in: '100644 blob', says: /it".*git's own folder/ },
  { name: 'x\\.git', in: '100644 blob', says: /git".*git's own folder/ },
  { name: '.gitmodules', in: '120000 blob', says: /"\.gitmodules".*a symlink/ },
  { name: 'n'.repeat(300), in: '100644 blob', says: /"n{117}\.\.\.".*a name is longer than 255 bytes/ },
]

test.each(strange)(
  'a commit that holds $name is refused in one sentence',
  async ({ name, in: kind, says }) => {
    using lab = openLab()
    const repo = repository(lab, files)
    const object = git(repo, 'rev-parse', kind.endsWith('tree') ? 'HEAD:src' : 'HEAD:a.txt')
    const tree = commitOf(
      repo,
      `${kind} ${object}\t${name}`,
      `100644 blob ${git(repo, 'rev-parse', 'HEAD:a.txt')}\tfine`,
    )
    // Git refuses it, too.
    expect(() =>
      git(
        repo,
        '-c',
        'core.protectNTFS=true',
        '-c',
        'core.protectHFS=true',
        'read-tree',
        '-u',
        '--reset',
        tree,
      ),
    ).toThrow(/invalid path|cannot create|too long/)
    const error = await lab.worktrees.inspect(repo, null).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'repository',
      message: expect.stringMatching(/^main of .* in a new commit/) as string,
    })
    expect(error).toMatchObject({ message: expect.stringMatching(says) as string })
  },
)

test('a commit with a name that has a slash in it is refused in one sentence', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const blob = Buffer.from(git(repo, 'rev-parse', 'HEAD:a.txt').trim(), 'hex')
  const written = execFileSync(
    'git',
    ['-C', repo, 'hash-object', '-t', 'tree', '--literally', '-w', '--stdin'],
    {
      input: Buffer.concat([Buffer.from('100644 some/where\0'), blob]),
    },
  )
  const tree = written.toString().trim()
  git(repo, 'update-ref', 'refs/heads/main', git(repo, 'commit-tree', '-m', 'odd', tree))
  await expect(lab.worktrees.inspect(repo, null)).rejects.toThrow(
    /^main of .* holds "some\/where", .*\(a name in it has a slash\): .* in a new commit/,
  )
})

test('another repository at the place of the first is given nothing, and none of its steps is paid for', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await goThrough(lab, repo)
  const unborn = await taskOn(lab.worktrees, repo, {}, 'b')
  const { worktrees } = lab
  renameSync(repo, `${repo}.away`)
  repository(lab, { 'other.txt': 'x\n' })
  const says = /is not the one that this task was made from .*put that one back there and resume/
  const head = git(`${repo}.away`, 'rev-parse', task.branch) as CommitId
  await expect(worktrees.handover(task, head)).rejects.toThrow(says)
  await expect(worktrees.open(task)).rejects.toThrow(says)
  await expect(lab.reopened().open(task)).rejects.toThrow(says)
  await expect(worktrees.open(unborn)).rejects.toThrow(says)
  expect(git(repo, 'branch', '--list', 'cofferdam*')).toBe('')
  // The first one back.
  renameSync(repo, `${repo}.other`)
  renameSync(`${repo}.away`, repo)
  await worktrees.open(task)
  git(repo, 'update-ref', '-d', `refs/heads/${task.branch}`)
  await worktrees.handover(task, head)
  expect(shows(repo, task)).toBe('A\tnew.txt')
})

test('a source whose old commits are gone is known by where its history began', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  commit(repo, { 'second.txt': 'x\n' })
  const task = await goThrough(lab, repo)
  const head = git(repo, 'rev-parse', task.branch) as CommitId
  git(repo, 'branch', '-q', '-D', task.branch)
  git(repo, 'reset', '-q', '--hard', 'HEAD~1')
  git(repo, 'reflog', 'expire', '--expire=now', '--all')
  git(repo, 'gc', '-q', '--prune=now')
  expect(() => git(repo, 'cat-file', '-e', `${task.base.commit}^{commit}`)).toThrow(/Not a valid object/)
  await lab.reopened().open(task)
  await lab.worktrees.handover(task, head)
  expect(shows(repo, task)).toBe('A\tnew.txt')
})

test('a repository that does not take the branch: what git says, and what to do', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await taskOn(lab.worktrees, repo)
  await lab.worktrees.open(task)
  write(repo, { [`.git/refs/heads/${task.branch}.lock`]: '' })
  await expect(lab.worktrees.handover(task, task.base.commit)).rejects.toThrow(
    /does not take the branch .*\. git push failed: .*Mend that, then try again\. The work is kept; a resume hands it over again\./,
  )
})

test.each([
  ["has the name of the folder of the task's", (branch: string) => branch.replace(/\/.*/, '')],
  ["makes a folder of the task's", (branch: string) => `${branch}/more`],
])('a branch made meanwhile that %s: which one to rename', async (_, other) => {
  using lab = openLab()
  const repo = repository(lab, files)
  const task = await taskOn(lab.worktrees, repo)
  await lab.worktrees.open(task)
  git(repo, 'branch', other(task.branch))
  await expect(lab.worktrees.handover(task, task.base.commit)).rejects.toMatchObject({
    code: 'repository',
    message: `The branch ${other(task.branch)} in ${repo} leaves no room for the branch ${task.branch}: rename it there, then resume the task.`,
  })
  git(repo, 'branch', '-m', other(task.branch), 'other')
  await lab.worktrees.handover(task, task.base.commit)
  expect(git(repo, 'rev-parse', task.branch)).toBe(task.base.commit)
})

test.each([
  ['nothing is', (_repo: string) => undefined],
  ['a folder without a repository is', (repo: string) => mkdirSync(repo)],
])('a repository that was moved away, and %s in its place', async (_, instead) => {
  using lab = openLab()
  // What it lies in is a repository too, and must not be taken for it.
  const outer = repository(lab, files)
  const inner = join(outer, 'inner')
  git(lab.folder, 'clone', '-q', outer, inner)
  const task = await taskOn(lab.worktrees, inner)
  await lab.worktrees.open(task)
  renameSync(inner, `${inner}.moved`)
  instead(inner)
  await expect(lab.worktrees.handover(task, task.base.commit)).rejects.toMatchObject({
    code: 'repository',
    message: `The repository of this task is no longer at ${inner}: put it back there and resume the task, or discard the task.`,
  })
  expect(git(outer, 'for-each-ref', 'refs/heads/cofferdam')).toBe('')
  rmSync(inner, { recursive: true, force: true })
  renameSync(`${inner}.moved`, inner)
  await lab.worktrees.handover(task, task.base.commit)
  expect(git(inner, 'rev-parse', task.branch)).toBe(task.base.commit)
})

test('B22 submodules, LFS pointers and an empty tree', async () => {
  using lab = openLab()
  const inner = repository(lab, { 'i.txt': 'i\n' }, 'inner')
  const repo = repository(lab, {
    ...files,
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'x.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
  })
  git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub')
  git(repo, 'commit', '-q', '-m', 'sub')
  const { notes } = await lab.worktrees.inspect(repo, null)
  expect(notes).toEqual(['Submodules are left empty: sub.', 'Files of Git LFS are left as pointers: *.bin.'])
  const task = await taskOn(lab.worktrees, repo)
  await lab.worktrees.open(task)
  const box = await boxOf(lab.worktrees, task)
  expect(readFileSync(`${box}/x.bin`, 'utf8')).toContain('git-lfs')
  expect(readdirSync(`${box}/sub`)).toEqual([])
  write(box, { 'sub/lost.txt': 'x\n', 'sub/deep/.env': 'x\n' })
  expect((await lab.worktrees.verify(task, task.base.commit)).map(({ path }) => path)).toEqual([
    'sub/deep/.env',
  ])
  const result = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  expect(result).toMatchObject({ changed: false, leftOut: [{ path: 'sub/' }] })
  await lab.worktrees.restore(task, task.base.commit)
  expect(readdirSync(`${box}/sub`)).toEqual([])
  const empty = repository(lab, {}, 'empty')
  expect(shows(empty, await goThrough(lab, empty, 'b'))).toBe('A\tnew.txt')
})

test('A036 A039 A040 A048 nothing that a repository is set up to run ever runs', async () => {
  using lab = openLab()
  const lender = repository(lab, { 'lent.txt': 'x\n' }, 'lender')
  const repo = repository(lab, files)
  write(repo, { '.git/objects/info/alternates': `${lender}/.git/objects\n` })
  const sprung = boobyTrap(lab, repo)
  const task = await goThrough(lab, repo)
  await lab.worktrees.diff(
    task,
    task.base.commit,
    git(
      `${lab.data}/mirrors/${task.repository.key}.git`,
      'rev-parse',
      task.branch,
    ) as typeof task.base.commit,
  )
  await lab.worktrees.hidden(repo, task.base.commit, task.policy)
  await lab.worktrees.setupKey(task, task.base.commit)
  expect(sprung()).toEqual([])
  // The traps work: plain git falls into them.
  expect(() => git(repo, 'add', '-A')).toThrow(/clean filter 'evil' failed/)
  expect(sprung()).toEqual(expect.arrayContaining(['fsmonitor', 'process']))
})

test.runIf(root)(
  "as root on a repository of another user, nothing in it becomes root's and nothing runs",
  async () => {
    using lab = openLab()
    const repo = repository(lab, files)
    const sprung = boobyTrap(lab, repo)
    execFileSync('chown', ['-R', '12345:12345', repo])
    const task = await goThrough(lab, repo)
    commitAs(repo)
    await goThrough(lab, repo, 'b')
    const foreign = execFileSync('find', [repo, '!', '-uid', '12345', '-o', '!', '-gid', '12345'], {
      encoding: 'utf8',
    })
    expect(foreign).toBe('')
    expect(shows(repo, task)).toBe('A\tnew.txt')
    expect(sprung()).toEqual([])
  },
)

/** The owner goes on working. */
function commitAs(repo: string): void {
  const author = ['-c', 'user.name=o', '-c', 'user.email=o@example.org', '-c', 'core.hooksPath=/dev/null']
  const script = 'git update-ref HEAD $(git "$@" commit-tree -p HEAD -m on HEAD^{tree})'
  execFileSync(
    'setpriv',
    ['--reuid=12345', '--regid=12345', '--clear-groups', 'sh', '-c', script, 'sh', ...author],
    {
      cwd: repo,
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.hooksPath',
        GIT_CONFIG_VALUE_0: '/dev/null',
      },
    },
  )
}

test('a pipe in the place of a file of git keeps nobody waiting', async () => {
  using lab = openLab()
  const repo = repository(lab, files)
  const bare = join(lab.folder, 'bare')
  git(lab.folder, 'clone', '-q', '--bare', repo, bare)
  execFileSync('mkfifo', [join(bare, 'commondir')])
  const odd = join(lab.folder, 'odd')
  mkdirSync(odd)
  execFileSync('mkfifo', [join(odd, '.git')])
  for (const [place, pipe] of [
    [bare, 'bare/commondir'],
    [odd, 'odd/.git'],
  ] as const)
    await expect(lab.worktrees.inspect(place, null)).rejects.toThrow(`${pipe} is no plain file`)
})

test('nothing is read in the data folder, where agents write', async () => {
  using lab = openLab()
  const repo = join(lab.data, 'tasks', 'r')
  mkdirSync(repo, { recursive: true })
  write(repo, { HEAD: 'x', 'objects/a': '', 'refs/a': '', commondir: '/nowhere' })
  await expect(lab.worktrees.inspect(repo, null)).rejects.toThrow(
    `${repo} lies in the data folder of Cofferdam: give your own repository.`,
  )
})
