import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Looks } from '../../src/worktree/looks.ts'
import { findSource, type Source } from '../../src/worktree/source.ts'
import { git, openLab, repository, type Lab } from './lab.ts'

const self = process.geteuid?.() ?? 0

/** How often a question was really asked. */
interface Asked {
  readonly source: Source
  readonly ask: (ref: string, question?: string) => Promise<number>
  readonly wait: (ms: number) => void
}

async function opened(lab: Lab): Promise<Asked & { readonly path: string }> {
  const path = repository(lab, { 'a.txt': 'a\n' })
  const source = await findSource(path, self)
  let now = 0
  const looks = new Looks(() => now)
  let asked = 0
  return {
    path,
    source,
    ask: (ref, question = 'what') =>
      looks.recall(source, ref, ['passing', question], () => Promise.resolve((asked += 1))),
    wait: (ms) => void (now += ms),
  }
}

test('an answer is used again for two seconds, by whoever asks the same', async () => {
  using lab = openLab()
  const { ask, wait } = await opened(lab)
  expect(await Promise.all([ask('HEAD'), ask('HEAD'), ask('HEAD')])).toEqual([1, 1, 1])
  wait(999)
  expect(await ask('HEAD')).toBe(1)
  expect(await ask('HEAD', 'something else')).toBe(2)
  expect(await ask('main')).toBe(3)
  wait(2000)
  expect(await ask('HEAD')).toBe(4)
})

test('it is asked again in time while somebody asks, and nobody waits for that', async () => {
  using lab = openLab()
  const { ask, wait } = await opened(lab)
  expect(await ask('HEAD')).toBe(1)
  wait(1000)
  expect(await Promise.all([ask('HEAD'), ask('HEAD')])).toEqual([1, 1])
  await setImmediate()
  expect(await ask('HEAD')).toBe(2)
  wait(1999)
  expect(await ask('HEAD')).toBe(2)
})

const changes: readonly {
  name: string
  ref: string
  before?: (path: string) => void
  act: (path: string) => void
}[] = [
  { name: 'a commit', ref: 'HEAD', act: (path) => git(path, 'commit', '-q', '--allow-empty', '-m', 'x') },
  {
    name: 'a commit on a branch that is named',
    ref: 'main',
    act: (path) => git(path, 'commit', '-q', '--allow-empty', '-m', 'x'),
  },
  {
    name: 'another branch checked out',
    ref: 'HEAD',
    act: (path) => git(path, 'checkout', '-q', '-b', 'other'),
  },
  { name: 'a detached head', ref: 'HEAD', act: (path) => git(path, 'checkout', '-q', '--detach') },
  { name: 'a new tag of that name', ref: 'v1', act: (path) => git(path, 'tag', 'v1') },
  { name: 'a branch made', ref: 'cofferdam', act: (path) => git(path, 'branch', 'cofferdam') },
  {
    name: 'a branch that is packed and then removed',
    ref: 'cofferdam',
    before: (path) => {
      git(path, 'branch', 'cofferdam')
      git(path, 'pack-refs', '--all')
    },
    act: (path) => git(path, 'branch', '-D', 'cofferdam'),
  },
  { name: 'a setting', ref: 'HEAD', act: (path) => git(path, 'config', 'a.b', 'c') },
  {
    name: 'a file put into the index',
    ref: 'HEAD',
    act: (path) => {
      writeFileSync(join(path, 'b.txt'), 'b\n')
      git(path, 'add', 'b.txt')
    },
  },
]

test.each(changes)('$name is seen at once', async ({ ref, before, act }) => {
  using lab = openLab()
  const { ask, path } = await opened(lab)
  before?.(path)
  expect(await ask(ref)).toBe(1)
  expect(await ask(ref)).toBe(1)
  act(path)
  expect(await ask(ref)).toBe(2)
})

test.each(['HEAD~1', 'main@{upstream}', ':/text', 'main^{tree}'])(
  '%s is asked anew each time',
  async (ref) => {
    using lab = openLab()
    const { ask } = await opened(lab)
    expect([await ask(ref), await ask(ref)]).toEqual([1, 2])
  },
)

test('what fails is not remembered', async () => {
  using lab = openLab()
  const { source } = await opened(lab)
  const looks = new Looks(() => 0)
  const failing = (): Promise<never> => Promise.reject(new Error('no'))
  await expect(looks.recall(source, 'HEAD', ['passing', 'what'], failing)).rejects.toThrow('no')
  expect(await looks.recall(source, 'HEAD', ['passing', 'what'], () => Promise.resolve('yes'))).toBe('yes')
})

test('a head that is a pipe keeps nobody waiting', async () => {
  using lab = openLab()
  const { ask, source } = await opened(lab)
  rmSync(`${source.gitDir}/HEAD`)
  execFileSync('mkfifo', [`${source.gitDir}/HEAD`])
  expect(await ask('HEAD')).toBe(1)
})

test('where a repository lies is looked for once in a submission, and again in the next; a failure is not kept', async () => {
  using lab = openLab()
  const { source } = await opened(lab)
  let now = 0
  let found = 0
  const looks = new Looks(() => now)
  const find = async (): Promise<Source> => {
    found += 1
    if (found === 1) throw new Error('nothing is there yet')
    return source
  }
  await expect(looks.sourceAt('/p', find)).rejects.toThrow('nothing is there yet')
  expect(await looks.sourceAt('/p', find)).toBe(source)
  now = 99
  await Promise.all([looks.sourceAt('/p', find), looks.sourceAt('/p', find), looks.sourceAt('/q', find)])
  expect(found).toBe(3)
  now = 100
  await looks.sourceAt('/p', find)
  expect(found).toBe(4)
})
