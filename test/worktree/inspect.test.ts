import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import { git, openLab, repository, taskOn, write, type Lab } from './lab.ts'

interface Row {
  readonly name: string
  /** The path to be looked at. */
  readonly make: (lab: Lab) => string
  readonly ref?: string
  readonly says: RegExp
}

const refused: readonly Row[] = [
  { name: 'no such path', make: (lab) => `${lab.folder}/none`, says: /There is no folder .*none/ },
  {
    name: 'a file',
    make: (lab) => {
      writeFileSync(`${lab.folder}/file`, '')
      return `${lab.folder}/file`
    },
    says: /is a file: give the path/,
  },
  {
    name: 'a folder that is no repository',
    make: (lab) => {
      mkdirSync(`${lab.folder}/plain`)
      return `${lab.folder}/plain`
    },
    says: /is not in a git repository: run `git init`/,
  },
  {
    name: 'B21 a repository without a commit',
    make: (lab) => {
      git(lab.folder, 'init', '-q', 'fresh')
      return `${lab.folder}/fresh`
    },
    says: /has no commit yet: commit something/,
  },
  {
    name: 'B21 a ref that does not exist',
    make: (lab) => repository(lab, { a: '1' }),
    ref: 'nowhere',
    says: /has no branch, tag or commit "nowhere": `git -C .* branch --all`/,
  },
  {
    name: 'a ref of a blob',
    make: (lab) => repository(lab, { a: '1' }),
    ref: 'HEAD:a',
    says: /has no branch/,
  },
  {
    name: 'A044 a ref that looks like an option',
    make: (lab) => repository(lab, { a: '1' }),
    ref: '--output=/tmp/x',
    says: /is no name of a branch/,
  },
  {
    name: 'A044 a ref with a newline',
    make: (lab) => repository(lab, { a: '1' }),
    ref: 'main\nx',
    says: /is no name of a branch/,
  },
  {
    name: 'a .git file that leads nowhere',
    make: (lab) => {
      write(`${lab.folder}/lost`, { '.git': 'gitdir: /nowhere\n' })
      return `${lab.folder}/lost`
    },
    says: /names no git repository/,
  },
  {
    name: 'a worktree of ours',
    make: (lab) => {
      mkdirSync(`${lab.data}/tasks`)
      git(`${lab.data}/tasks`, 'init', '-q', 'x')
      return `${lab.data}/tasks/x`
    },
    says: /lies in the data folder/,
  },
  {
    name: 'a partial clone',
    make: (lab) => {
      const origin = repository(lab, { a: '1' }, 'origin')
      git(origin, 'config', 'uploadpack.allowFilter', 'true')
      git(lab.folder, 'clone', '-q', '--filter=blob:none', `file://${origin}`, 'partial')
      return `${lab.folder}/partial`
    },
    says: /is a partial clone.*git fetch --refetch/,
  },
  {
    name: 'a broken configuration',
    make: (lab) => {
      const repo = repository(lab, { a: '1' })
      writeFileSync(`${repo}/.git/config`, '[core\n')
      return repo
    },
    says: /bad config/,
  },
]

test.each(refused)('inspect refuses $name in one sentence', async ({ make, ref, says }) => {
  using lab = openLab()
  const path = make(lab)
  const error = await lab.worktrees.inspect(path, ref ?? null).catch((thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`no failure but ${String(error)}`)
  expect(error.code).toBe('repository')
  expect(error.message).toMatch(says)
})

test('inspect answers top level, key, branch and commit, by any way to the repository', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n', 'src/b.txt': 'b\n' })
  symlinkSync(repo, `${lab.folder}/link`)
  const ways = [repo, `${repo}/`, `${repo}/src`, `${repo}/.git`, `${lab.folder}/link/src`]
  const infos = await Promise.all(ways.map((way) => lab.worktrees.inspect(way, null)))
  const commit = git(repo, 'rev-parse', 'HEAD')
  for (const info of infos) expect(info).toEqual({ ...infos[0], path: repo, ref: 'main', commit, notes: [] })
  expect(infos[0]?.key).toMatch(/^[0-9a-f]{16}$/)
  expect((await lab.worktrees.inspect(repo, commit.slice(0, 8))).commit).toBe(commit)
  git(repo, 'checkout', '-q', '--detach')
  expect((await lab.worktrees.inspect(repo, null)).ref).toBe('HEAD')
})

test('inspect names few of many uncommitted files', async () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  write(
    repo,
    Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`new-${String(n).padStart(2, '0')}`, ''])),
  )
  rmSync(join(repo, 'a.txt'))
  const { notes } = await lab.worktrees.inspect(repo, null)
  expect(notes).toEqual([
    'Uncommitted changes are not part of the task: 13 (a.txt, new-00, new-01, new-02, new-03 and 8 more).',
  ])
})

test('hidden names what the policy denies of a commit, in a repository and in the listing of its worktree', async () => {
  using lab = openLab()
  const repo = repository(lab, {
    '.env': '1',
    'a/.env.local': '1',
    'a/.env.example': '1',
    'a/config.yaml': '1',
    'deeponly/.ENV': '1',
    'AGENTS.md': '1',
    '.github/workflows/ci.yml': '1',
    'src/x.ts': '1',
  })
  const task = await taskOn(lab.worktrees, repo)
  const hidden = ['.env', 'a/.env.local', 'a/config.yaml', 'deeponly/.ENV']
  expect(await lab.worktrees.hidden(repo, git(repo, 'rev-parse', 'HEAD') as CommitId, defaultPolicy)).toEqual(
    hidden,
  )
  await lab.worktrees.open(task)
  symlinkSync('/etc', `${lab.data}/tasks/${task.id}/.vscode`)
  expect(await lab.worktrees.listing(task)).toEqual({
    hidden,
    folders: ['.github', '.github/workflows', 'a', 'src'],
    matches: [
      { path: '.github/workflows', type: 'folder', kind: 'readonly', rule: '.github/workflows' },
      { path: '.vscode', type: 'symlink', kind: 'readonly', rule: '.vscode' },
      { path: 'AGENTS.md', type: 'file', kind: 'readonly', rule: 'AGENTS.md' },
    ],
  })
})

const odd = [0xff, 0x2f]
const unmountable: readonly {
  readonly name: string
  readonly path: string
  readonly allow?: readonly string[]
  readonly mode?: string
  /** The path in the refusal; null where the commit is taken. */
  readonly refused: string | null
}[] = [
  { name: 'a readonly file', path: 'AGENTS.md', refused: String.raw`"\377/AGENTS.md"` },
  { name: 'a denied file', path: 'a/.env', refused: String.raw`"\377/a/.env"` },
  { name: 'a file in a readonly folder', path: '.vscode/x/y', refused: String.raw`"\377/.vscode"` },
  { name: 'an ordinary file', path: 'x.txt', refused: null },
  { name: 'a readonly symlink', path: 'AGENTS.md', mode: '120000', refused: null },
  { name: 'a denied symlink', path: '.env', mode: '120000', refused: String.raw`"\377/.env"` },
  { name: 'a readonly file outside of the allow list', path: 'AGENTS.md', allow: ['/src/'], refused: null },
  { name: 'an open folder', path: 'src/x', allow: ['src/'], refused: String.raw`"\377/src"` },
  { name: 'an open file', path: 'x.md', allow: ['*.md'], refused: String.raw`"\377/x.md"` },
  { name: 'a closed file', path: 'x.txt', allow: ['*.md'], refused: null },
]
test.each(unmountable)(
  'a commit with $name in a folder without a UTF-8 name',
  async ({ path, allow = [], mode = '100644', refused }) => {
    using lab = openLab()
    const repo = repository(lab, { a: '1', 'sub/\uFFFD/AGENTS.md': 'is UTF-8' })
    const input = Buffer.concat([
      Buffer.from(`${mode} ${git(repo, 'rev-parse', 'HEAD:a')}\t`),
      Buffer.from(odd),
      Buffer.from(`${path}\0`),
    ])
    execFileSync('git', ['-C', repo, 'update-index', '-z', '--index-info'], { input })
    git(repo, 'commit', '-q', '-m', 'odd')
    const head = git(repo, 'rev-parse', 'HEAD') as CommitId
    const answer = lab.worktrees.hidden(repo, head, { ...defaultPolicy, allow })
    if (refused === null) await expect(answer).resolves.toEqual(expect.any(Array))
    else
      await expect(answer).rejects.toThrow(
        new Failure(
          'repository',
          `${repo} has names that are no UTF-8 where the policy needs a mount, which the engine cannot make: ` +
            `rename ${refused} in a commit, or start from a commit without it.`,
        ),
      )
  },
)

test('under an allow list, the listing names the files that are open on their own', async () => {
  using lab = openLab()
  const files = { 'README.md': '1', 'AGENTS.md': '1', 'docs/a.md': '1', 'docs/b.txt': '1', 'src/x.md': '1' }
  const task = await taskOn(lab.worktrees, repository(lab, files), { allow: ['*.md', 'src/**'] })
  await lab.worktrees.open(task)
  const { folders, writable, matches } = await lab.worktrees.listing(task)
  expect({ folders, writable }).toEqual({ folders: ['docs', 'src'], writable: ['README.md', 'docs/a.md'] })
  expect(matches.map(({ path }) => path)).toEqual(['AGENTS.md', 'docs/b.txt'])
})
