import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git, layOut } from '../support/repository.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

const folder = (): string => mkdtempSync(join(tmpdir(), 'cofferdam-none-'))

describe('B21 what cannot be worked on is refused in a sentence', () => {
  const refusals: readonly [string, () => string, RegExp][] = [
    ['no such path', () => join(folder(), 'missing'), /missing/],
    ['a folder that is no repository', folder, /repository/],
    [
      'a repository without a commit',
      () => {
        const path = folder()
        git(path, 'init', '-q')
        return path
      },
      /commit/,
    ],
  ]
  it.each(refusals)('%s', async (_, make, says) => {
    await expect(plane.submit({ repo: make(), argv: sh('true') })).rejects.toThrow(says)
  })

  it('a base ref that does not exist', async () => {
    const request = {
      goal: 'x',
      repository: aRepository(),
      ref: 'no-such-branch',
      agent: { name: 'command', argv: ['true'] },
    }
    const { parseTaskRequest } = await import('../../src/domain/intake.ts')
    const parsed = parseTaskRequest(request)
    if (!parsed.ok) throw new Error('the request should parse')
    await expect(plane.client.submit(parsed.request)).rejects.toThrow(/no-such-branch/)
  })

  it('a disk that is nearly full halts the task with what to do', async () => {
    const task = await plane.run({
      repo: aRepository(),
      argv: sh('echo x > x.txt'),
      limits: { diskFreeMb: 1_000_000 },
    })
    expect([task.status, task.halt?.reason]).toEqual(['BLOCKED', 'disk'])
    expect(task.halt?.text).toMatch(/free/i)
  })
})

describe('B22 repositories of other shapes', () => {
  it('an empty tree', async () => {
    const task = await plane.run({ repo: aRepository({}), argv: sh('echo x > x.txt') })
    expect(task.status).toBe('APPLIED')
  })

  it('submodules stay as they are', async () => {
    const inner = aRepository({ 'inner.txt': 'inner\n' })
    const repo = aRepository()
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub')
    git(repo, 'commit', '-qm', 'Add a submodule')
    const task = await plane.run({ repo, argv: sh('ls sub | wc -l > count.txt') })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', task.branch, 'sub')).toBe(git(repo, 'ls-tree', 'main', 'sub'))
    expect(git(repo, 'show', `${task.branch}:count.txt`).trim()).toBe('0')
  })

  it('an LFS pointer stays a pointer', async () => {
    const pointer =
      'version https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 12345\n'
    const repo = aRepository({
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'big.bin': pointer,
    })
    const task = await plane.run({ repo, argv: sh('cp big.bin seen.txt') })
    expect(git(repo, 'show', `${task.branch}:seen.txt`)).toBe(pointer)
    expect(git(repo, 'diff', '--name-only', 'main', task.branch).trim()).toBe('seen.txt')
  })

  it('a file of 200 MB', async () => {
    const repo = aRepository()
    const task = await plane.run({ repo, argv: sh('head -c 200000000 /dev/zero > big.dat') })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'cat-file', '-s', `${task.branch}:big.dat`).trim()).toBe('200000000')
  })

  it('50,000 files', async () => {
    const repo = aRepository()
    for (let index = 0; index < 500; index += 1) {
      const files = Array.from({ length: 100 }, (_, file) => [`d${index}/f${file}.txt`, `${index} ${file}\n`])
      layOut(repo, Object.fromEntries(files) as Record<string, string>)
    }
    git(repo, 'add', '-A')
    git(repo, 'commit', '-qm', 'Many files')
    const task = await plane.run({
      repo,
      argv: sh('for n in 1 2 3; do echo new > d$n/f1.txt; done; rm d4/f4.txt'),
      test: 'grep -q new d1/f1.txt || test ! -f d1/new',
    })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'diff', '--name-status', 'main', task.branch).trim().split('\n')).toEqual([
      'M\td1/f1.txt',
      'M\td2/f1.txt',
      'M\td3/f1.txt',
      'D\td4/f4.txt',
    ])
  })

  it('a bare repository, a shallow clone, and one with alternates', async () => {
    const source = aRepository()
    git(source, 'commit', '-q', '--allow-empty', '-m', 'Second')
    const place = folder()
    git(place, 'clone', '-q', '--bare', source, 'bare')
    git(place, 'clone', '-q', '--depth', '1', `file://${source}`, 'shallow')
    git(place, 'clone', '-q', '--shared', source, 'shared')
    for (const name of readdirSync(place)) {
      const repo = join(place, name)
      const task = await plane.run({ repo, argv: sh('echo x > x.txt') })
      expect([name, task.status]).toEqual([name, 'APPLIED'])
      expect(git(repo, 'show', `${task.branch}:x.txt`)).toBe('x\n')
    }
  })

  it('a branch named cofferdam in the way', async () => {
    const repo = aRepository()
    git(repo, 'branch', 'cofferdam')
    const task = await plane.run({ repo, argv: sh('echo x > x.txt') })
    expect([task.status, task.branch]).toEqual(['APPLIED', `cofferdam-${task.id}`])
    expect(git(repo, 'show', `${task.branch}:x.txt`)).toBe('x\n')
  })

  it.skipIf(process.getuid?.() !== 0)(
    'somebody else’s, worked on by root, gets nothing of root’s',
    async () => {
      const repo = aRepository()
      execFileSync('chown', ['-R', '4242:4242', repo])
      chownSync(repo, 4242, 4242)
      const task = await plane.run({ repo, argv: sh('echo x > x.txt') })
      expect(task.status).toBe('APPLIED')
      const owners = readdirSync(repo, { recursive: true, encoding: 'utf8' }).map(
        (path) => statSync(join(repo, path)).uid,
      )
      expect(new Set(owners)).toEqual(new Set([4242]))
    },
  )
})
