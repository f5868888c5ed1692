import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { author, boxOf, git, made, openLab, repository, snapshot, taskOn, write, type Lab } from './lab.ts'

const files = {
  'a.txt': 'a\n',
  'run.sh': '#!/bin/sh\n',
  'src/b.txt': 'b\n',
  'deeponly/.env': 'SECRET=3\n',
  '.env': 'SECRET=1\n',
  'gone.txt': 'x\n',
  '.gitignore': 'ignored/\n*.log\n',
}

/** `mode path` of all that a commit holds, quoted as git does where need be. */
function tree(lab: Lab, task: TaskPlace, commit: CommitId): readonly string[] {
  const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
  const lines = git(mirror, 'ls-tree', '-r', '-z', commit).split('\0')
  return lines.filter((line) => line !== '').map((line) => line.replace(/^(\d+) \w+ \w+\t/, '$1 '))
}

async function opened(
  lab: Lab,
  more: Record<string, string> = {},
): Promise<{ task: TaskPlace; box: string }> {
  const task = await taskOn(lab.worktrees, repository(lab, { ...files, ...more }))
  await lab.worktrees.open(task)
  return { task, box: await boxOf(lab.worktrees, task) }
}

interface Row {
  readonly name: string
  readonly act: (box: string) => void
  /** Lines of the tree that come and go. */
  readonly plus?: readonly string[]
  readonly minus?: readonly string[]
  /** `path: why`. */
  readonly leftOut?: readonly string[]
}

const table: readonly Row[] = [
  { name: 'nothing', act: () => undefined },
  { name: 'a rewrite of the same content', act: (box) => write(box, { 'a.txt': 'a\n' }) },
  { name: 'an empty folder', act: (box) => mkdirSync(`${box}/empty/folder`, { recursive: true }) },
  {
    name: 'new files in new folders, with spaces, newlines and other letters',
    act: (box) =>
      write(box, { 'new dir/sp ace.txt': '1', 'new dir/new\nline': '2', 'ünï/é.txt': '3', '-dash': '4' }),
    plus: ['100644 -dash', '100644 new dir/new\nline', '100644 new dir/sp ace.txt', '100644 ünï/é.txt'],
  },
  {
    name: 'a mode',
    act: (box) => chmodSync(`${box}/run.sh`, 0o755),
    plus: ['100755 run.sh'],
    minus: ['100644 run.sh'],
  },
  {
    name: 'symlinks: to a file, to a folder, to nothing, to outside',
    act: (box) => {
      symlinkSync('a.txt', `${box}/l1`)
      symlinkSync('src', `${box}/l2`)
      symlinkSync('nowhere', `${box}/l3`)
      symlinkSync('/etc/passwd', `${box}/l4`)
    },
    plus: ['120000 l1', '120000 l2', '120000 l3', '120000 l4'],
  },
  {
    name: 'a rename',
    act: (box) => renameSync(`${box}/a.txt`, `${box}/src/c.txt`),
    plus: ['100644 src/c.txt'],
    minus: ['100644 a.txt'],
  },
  { name: 'a removal', act: (box) => unlinkSync(`${box}/gone.txt`), minus: ['100644 gone.txt'] },
  {
    name: 'a folder in place of a file',
    act: (box) => {
      unlinkSync(`${box}/a.txt`)
      write(box, { 'a.txt/inner': 'x' })
    },
    plus: ['100644 a.txt/inner'],
    minus: ['100644 a.txt'],
  },
  {
    name: 'a file in place of a folder',
    act: (box) => {
      rmSync(`${box}/src`, { recursive: true })
      write(box, { src: 'x' })
    },
    plus: ['100644 src'],
    minus: ['100644 src/b.txt'],
  },
  {
    name: 'a symlink in place of a folder',
    act: (box) => {
      renameSync(`${box}/src`, `${box}/other`)
      symlinkSync('other', `${box}/src`)
    },
    plus: ['100644 other/b.txt', '120000 src'],
    minus: ['100644 src/b.txt'],
  },
  {
    name: 'a symlink in place of a file, and a file made a symlink',
    act: (box) => {
      unlinkSync(`${box}/a.txt`)
      symlinkSync('run.sh', `${box}/a.txt`)
    },
    plus: ['120000 a.txt'],
    minus: ['100644 a.txt'],
  },
  {
    name: 'ignored files and folders',
    act: (box) =>
      write(box, {
        'x.log': '1',
        'ignored/a': '1',
        'ignored/deep/b': '1',
        'src/y.log': '1',
        'kept.txt': '1',
      }),
    plus: ['100644 kept.txt'],
    leftOut: [
      'ignored/: covered by .gitignore',
      'src/y.log: covered by .gitignore',
      'x.log: covered by .gitignore',
    ],
  },
  {
    name: 'many ignored files in one folder',
    act: (box) => write(box, Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`src/${n}.log`, 'x']))),
    leftOut: ['src/: 7 files covered by .gitignore'],
  },
  {
    name: 'what a changed .gitignore covers',
    act: (box) => write(box, { '.gitignore': 'build\n', 'build/x': '1', 'y.log': '1' }),
    plus: ['100644 y.log'],
    leftOut: ['build/: covered by .gitignore'],
  },
  {
    name: 'a fifo and a socket',
    act: (box) => {
      execFileSync('mkfifo', [`${box}/pipe`])
      const listen =
        'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
      spawnSync(process.execPath, ['-e', listen, `${box}/sock`])
    },
    leftOut: ['pipe: a fifo; removed', 'sock: a socket; removed'],
  },
  {
    name: 'A112 a fifo that git would read rules from',
    act: (box) => {
      unlinkSync(`${box}/.gitignore`)
      for (const path of ['.gitignore', 'src/.GitIgnore']) execFileSync('mkfifo', [`${box}/${path}`])
      write(box, { 'new.txt': '1' })
    },
    plus: ['100644 new.txt'],
    minus: ['100644 .gitignore'],
    leftOut: ['.gitignore: a fifo; removed', 'src/.GitIgnore: a fifo; removed'],
  },
  {
    name: 'a fifo in place of a file',
    act: (box) => {
      unlinkSync(`${box}/a.txt`)
      execFileSync('mkfifo', [`${box}/a.txt`])
    },
    minus: ['100644 a.txt'],
    leftOut: ['a.txt: a fifo; removed'],
  },
  {
    name: 'a nested repository',
    act: (box) => {
      mkdirSync(`${box}/nested`)
      git(`${box}/nested`, 'init', '-q')
      write(box, { 'nested/x.txt': 'x' })
      git(`${box}/nested`, 'add', '-A')
      git(`${box}/nested`, 'commit', '-q', '-m', 'x')
    },
    leftOut: ['nested/: a git repository of its own, or inside a submodule'],
  },
  {
    name: 'a file where the policy hides a folder',
    act: (box) => write(box, { deeponly: 'x', 'b.txt': 'x' }),
    plus: ['100644 b.txt'],
    leftOut: ['deeponly: in the way of a path that the policy hides'],
  },
  {
    name: 'A039 attributes that would convert or filter',
    act: (box) =>
      write(box, {
        '.gitattributes': '* text eol=crlf ident filter=evil working-tree-encoding=UTF-16\n',
        'w.txt': '$Id$\r\n',
      }),
    plus: ['100644 .gitattributes', '100644 w.txt'],
  },
]

test.each(table)('B15 candidate: $name', async ({ act, plus = [], minus = [], leftOut = [] }) => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  const base = tree(lab, task, task.base.commit)
  act(box)
  const result = made(await lab.worktrees.candidate(task, task.base.commit, 'step 1\n\nTask: x\n'))
  expect(result.leftOut.map(({ path, why }) => `${path}: ${why}`).sort()).toEqual(leftOut)
  const now = tree(lab, task, result.commit)
  expect(now.filter((line) => !base.includes(line))).toEqual(result.changed ? [...plus].sort() : [])
  const gone = base.filter((line) => !now.includes(line))
  expect(gone).toEqual(minus.filter((line) => !plus.includes(line)))
  expect(result.changed).toBe(plus.length + minus.length > 0)
  if (!result.changed) expect(result.commit).toBe(task.base.commit)
  // Restoring to it changes nothing that it holds, in this process or in another.
  const kept = snapshot(box)
  await lab.worktrees.restore(task, result.commit)
  const after = snapshot(box)
  expect(Object.entries(after).filter(([path, content]) => kept[path] !== content)).toEqual([])
  await lab.reopened().restore(task, result.commit)
  expect(snapshot(box)).toEqual(after)
  const tested = await lab.worktrees
    .materials(task)
    .locate({ kind: 'tree', commit: result.commit, writes: 'discard' })
  expect(snapshot(tested)).toEqual(after)
})

test('B15 bytes, author and message of a candidate', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  write(box, { '.gitattributes': '* text eol=lf ident\n', 'w.txt': '$Id$\r\n' })
  writeFileSync(Buffer.concat([Buffer.from(`${box}/`), Buffer.from([0xff, 0xfe])]), 'no utf-8')
  const result = made(
    await lab.worktrees.candidate(task, task.base.commit, 'step 1\n\nCofferdam-Task: aaaaaaaaaa\n'),
  )
  const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
  expect(git(mirror, 'cat-file', 'blob', `${result.commit}:w.txt`)).toBe('$Id$')
  expect(git(mirror, 'cat-file', '-s', `${result.commit}:w.txt`)).toBe('6')
  expect(git(mirror, 'ls-tree', '--name-only', result.commit)).toContain(String.raw`"\377\376"`)
  expect(git(mirror, 'log', '-1', '--format=%an <%ae> %cn <%ce>|%P|%B', result.commit)).toBe(
    `${author.name} <${author.email}> ${author.name} <${author.email}>|${task.base.commit}|step 1\n\nCofferdam-Task: aaaaaaaaaa`,
  )
  expect(git(mirror, 'rev-parse', `refs/cofferdam/${task.id}/candidate`)).toBe(result.commit)
  expect(result.stat).toEqual({ files: 3, insertions: 3, deletions: 0 })
  // What the base holds at denied paths is there byte for byte.
  for (const path of ['.env', 'deeponly/.env'])
    expect(git(mirror, 'rev-parse', `${result.commit}:${path}`)).toBe(
      git(mirror, 'rev-parse', `${task.base.commit}:${path}`),
    )
})

const forbidden: readonly { name: string; act: (box: string) => void; says: readonly string[] }[] = [
  {
    name: 'a denied file',
    act: (box) => write(box, { 'src/.env': 'x' }),
    says: ['created deny src/.env file'],
  },
  {
    name: 'a readonly file',
    act: (box) => write(box, { 'AGENTS.md': 'x' }),
    says: ['created readonly AGENTS.md file'],
  },
]

test.each(forbidden)('B14 the gate refuses $name by itself', async ({ act, says }) => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  act(box)
  const result = await lab.worktrees.candidate(task, task.base.commit, 'x')
  expect(
    result.kind === 'refused' && result.violations.map((v) => `${v.what} ${v.kind} ${v.path} ${v.found}`),
  ).toEqual(says)
  // The refusal leaves nothing behind: the verifier still sees it, and restoring undoes it.
  expect((await lab.worktrees.verify(task, task.base.commit)).map((v) => v.path)).toEqual([
    says[0]?.split(' ')[2],
  ])
  await lab.worktrees.restore(task, task.base.commit)
  expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
})

test('B14 what an agent writes where the base has a denied file is in no candidate', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  write(box, { '.env': 'x', 'b.txt': 'x' })
  const { commit, leftOut } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  expect(leftOut.map(({ path }) => path)).toEqual(['.env'])
  const mirror = `${lab.data}/mirrors/${task.repository.key}.git`
  expect(git(mirror, 'diff-tree', '-r', '--name-only', task.base.commit, commit)).toBe('b.txt')
  await lab.worktrees.restore(task, commit)
  expect(Object.keys(snapshot(box))).not.toContain('.env')
})

test('two steps: the second stands on the first', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  write(box, { 'a.txt': 'one\n', 'x.log': 'ignored' })
  const one = made(await lab.worktrees.candidate(task, task.base.commit, '1'))
  await lab.worktrees.checkpoint(task, one.commit)
  await lab.worktrees.restore(task, one.commit)
  await boxOf(lab.worktrees, task)
  write(box, { 'b.txt': 'two\n' })
  expect(await lab.worktrees.verify(task, one.commit)).toEqual([])
  const two = made(await lab.worktrees.candidate(task, one.commit, '2'))
  await lab.worktrees.checkpoint(task, two.commit)
  expect(one.stat).toEqual({ files: 1, insertions: 1, deletions: 1 })
  expect(two.stat).toEqual({ files: 1, insertions: 1, deletions: 0 })
  const diff = await lab.worktrees.diff(task, task.base.commit, two.commit)
  expect(diff).toContain('+one')
  expect(diff).toContain('+two')
  // Back to the base, and again to the end.
  await lab.worktrees.restore(task, task.base.commit)
  expect(snapshot(box)['a.txt']).toBe('a\n')
  await lab.worktrees.restore(task, two.commit)
  expect(snapshot(box)['b.txt']).toBe('two\n')
  expect(snapshot(box)['x.log']).toBeUndefined()
})

test('candidate again after a kill makes the same tree', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  write(box, { 'a.txt': 'one\n' })
  rmSync(`${box}/gone.txt`)
  const one = made(await lab.worktrees.candidate(task, task.base.commit, '1'))
  const again = lab.reopened()
  expect(await again.verify(task, task.base.commit)).toEqual([])
  const two = made(await again.candidate(task, task.base.commit, '1'))
  expect(two.tree).toBe(one.tree)
  expect(two.changed).toBe(true)
})

test('A040 a diff runs nothing, hides nothing, and is capped', async () => {
  using lab = openLab()
  const grown = 'old line of text\n'.repeat(100_000)
  const { task, box } = await opened(lab, {
    '.gitattributes': '*.txt -diff\n*.big diff=evil\n',
    'moved.csv': grown,
    'old.csv': `${grown}end\n`,
  })
  write(box, { 'a.txt': 'shown\n', 'AA.big': 'long line of text\n'.repeat(600_000) })
  write(box, { 'x/ü.txt': 'behind\n', 'y y.txt': 'behind\rdiff --git a/z b/z\n' })
  write(box, { 'b.bin': '\0', 'ü ü.big': 'x\n'.repeat(600_000), 'm v.csv': `${grown}more\n` })
  for (const path of ['gone.txt', 'old.csv', 'moved.csv']) rmSync(`${box}/${path}`)
  symlinkSync('a.txt', `${box}/gone.txt`)
  const one = made(await lab.worktrees.candidate(task, task.base.commit, '1'))
  const diff = await lab.worktrees.diff(task, task.base.commit, one.commit)
  // What is too large is left out by itself, and all others are there.
  expect(diff.length).toBeLessThan(4000)
  for (const line of ['+shown', '+behind', '+behind\rdiff --git a/z b/z', '+a.txt'])
    expect(diff).toContain(`\n${line}\n`)
  expect(diff.match(/\n\[.*/g)).toEqual([
    `\n[not shown: AA.big is too large (10.3 MiB); the branch ${task.branch} has it]`,
    `\n[not shown: m v.csv is too large (1.6 MiB); the branch ${task.branch} has it]`,
    '\n[not shown: moved.csv is too large (1.6 MiB); it is deleted]',
    '\n[not shown: old.csv is too large (1.6 MiB); it is deleted]',
    `\n[not shown: "\\303\\274 \\303\\274.big" is too large (1.1 MiB); the branch ${task.branch} has it]`,
  ])
  expect(diff).toMatch(/^diff --git a\/AA\.big b\/AA\.big\nnew file mode 100644\n/)

  // The smaller limit leaves out more, and what still is too long is cut.
  for (const each of 'abcdefghi') write(box, { [`c/${each}.big`]: 'text\n'.repeat(200_000) })
  for (let each = 10; each < 92; each += 1) write(box, { [`d/${each}`]: '\rdiff --git a\n'.repeat(7500) })
  const two = made(await lab.worktrees.candidate(task, one.commit, '2'))
  const cut = await lab.worktrees.diff(task, one.commit, two.commit)
  expect(cut.match(/\n\[not shown: c\/\w\.big is too large \(1\.0 MiB\)/g)).toHaveLength(9)
  expect(cut.length).toBeLessThanOrEqual(8 * 1024 * 1024 + 2000)
  const [, last = '', more = ''] =
    /\n\[cut: the diff is longer than 8 MiB: it ends in d\/(\d\d) \(new\); not shown: (\d+) more files, d\/.*, d\/91 \(new\)\]\n$/.exec(
      cut.slice(cut.lastIndexOf('\n[')),
    ) ?? []
  expect(cut.slice(cut.lastIndexOf('\ndiff --git '))).toContain(`/${last}\n`)
  expect(Number(last) + Number(more)).toBe(91)
})

test('A113 files that are longer than a worktree may hold are refused before they are read', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  for (const name of ['a', 'b']) {
    writeFileSync(`${box}/${name}.bin`, '')
    truncateSync(`${box}/${name}.bin`, 6 * 1024 ** 3)
  }
  await expect(lab.worktrees.candidate(task, task.base.commit, '1')).rejects.toThrow(/longer than 10240 MiB/)
})

test('B22 a file of 200 MB', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  writeFileSync(`${box}/big.bin`, '')
  truncateSync(`${box}/big.bin`, 200 * 1024 * 1024)
  const { commit, stat } = made(await lab.worktrees.candidate(task, task.base.commit, '1'))
  expect(stat).toEqual({ files: 1, insertions: 0, deletions: 0 })
  await lab.worktrees.handover(task, commit)
  expect(git(`${lab.folder}/repo`, 'cat-file', '-s', `${task.branch}:big.bin`)).toBe(
    String(200 * 1024 * 1024),
  )
})

test('B22 large files among small ones', async () => {
  using lab = openLab()
  const { task, box } = await opened(lab)
  for (const name of ['b.bin', 'd.bin']) {
    writeFileSync(`${box}/${name}`, name)
    truncateSync(`${box}/${name}`, 40 * 1024 * 1024)
  }
  write(box, { 'a.new': 'a\n', 'c.new': 'c\n' })
  const { stat } = made(await lab.worktrees.candidate(task, task.base.commit, '1'))
  expect(stat).toEqual({ files: 4, insertions: 2, deletions: 0 })
})
