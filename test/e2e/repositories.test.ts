import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { running, startsOf } from '../support/boxes.ts'
import { needRoot } from '../support/needs.ts'
import { openTestPlane, requestOf, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git, layOut } from '../support/repository.ts'
import { until } from '../support/until.ts'

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
  it.each(refusals)('B21 %s', async (_, make, says) => {
    const before = await plane.client.tasks({ limit: 1000 })
    await expect(plane.submit({ repo: make(), argv: sh('true') })).rejects.toThrow(says)
    expect(await plane.client.tasks({ limit: 1000 })).toEqual(before)
  })

  it('B21 a base ref that does not exist', async () => {
    const request = requestOf({ repo: aRepository(), argv: ['true'] })
    await expect(plane.client.submit({ ...request, ref: 'no-such-branch' })).rejects.toThrow(
      /has no branch, tag or commit "no-such-branch"/,
    )
  })
})

describe('B21 a disk that is nearly full', () => {
  it('B21 halts the task in a sentence with what to do, and no box is started', async () => {
    const task = await plane.run({
      repo: aRepository(),
      argv: sh('echo x > x.txt'),
      limits: { diskFreeMb: 1_000_000 },
    })
    expect([task.status, task.halt?.reason]).toEqual(['BLOCKED', 'disk'])
    expect(task.halt?.text).toMatch(
      /nearly full, so the .* box was not started\. Free some space, then resume/,
    )
    expect(startsOf(task.id, task.createdAt)).toEqual([])
  })

  it('B21 in the middle of a task loses nothing: with room again, a resume goes on where it was', async () => {
    needRoot('mounting a small disk')
    const disk = mkdtempSync(join(tmpdir(), 'cofferdam-small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', disk])
    const small = await openTestPlane('', disk)
    try {
      const repo = aRepository()
      const agent = sh(
        'echo step >> steps.txt; [ $(wc -l < steps.txt) = 1 ] && { echo TASK_STATE: CONTINUE; exit; }; [ $(wc -l < steps.txt) -gt 2 ] || sleep 20',
      )
      const started = await small.submit({ repo, argv: agent })
      await small.until(started.id, (task) => task.spent.steps === 1)
      await running(started.id, 'agent')
      const big = join(disk, 'big')
      writeFileSync(big, Buffer.alloc(200 * 1024 * 1024))
      const halted = await small.settled(started.id)
      expect([halted.status, halted.halt?.reason]).toEqual(['BLOCKED', 'disk'])
      expect(halted.halt?.text).toMatch(
        /nearly full, so the agent box was ended\. Free some space, then resume/,
      )
      rmSync(big)
      await small.client.act(started.id, { act: 'resume', instruction: null, budget: null })
      const task = await small.settled(started.id)
      expect(task.status).toBe('APPLIED')
      expect(git(repo, 'show', `${task.branch}:steps.txt`)).toMatch(/^(step\n){2,3}$/)
    } finally {
      await small.close()
      execFileSync('umount', ['--lazy', disk]) // our own log in it stays open
      rmSync(disk, { recursive: true })
    }
  })
})

describe('B19 two tasks on one repository', () => {
  it('B19 at the same time have worktrees and branches of their own, and neither sees the other', async () => {
    const repo = aRepository()
    const agent = (name: string): readonly string[] =>
      sh(`echo ${name} > ${name}.txt; git add -A; git -c user.name=x -c user.email=x@y commit -qm ${name}
        touch .here; for n in $(seq 100); do [ -f .go ] && break; sleep 0.1; done; rm .here .go
        ls *.txt > ${name}-saw.txt; git log --all --format=%s >> ${name}-saw.txt`)
    const names = ['one', 'two'] as const
    const started = await Promise.all(names.map((name) => plane.submit({ repo, argv: agent(name) })))
    const worktrees = started.map(({ id }) => join(plane.config.dataFolder, 'tasks', id))
    // Both have written before either looks.
    for (const path of worktrees) await until(() => existsSync(join(path, '.here')))
    for (const path of worktrees) writeFileSync(join(path, '.go'), '')
    const done = await Promise.all(started.map(({ id }) => plane.settled(id)))
    for (const [index, { branch, status }] of done.entries()) {
      const name = names[index]
      expect(status).toBe('APPLIED')
      expect(git(repo, 'diff', '--name-only', 'main', branch)).toBe(`${name}-saw.txt\n${name}.txt\n`)
      expect(git(repo, 'show', `${branch}:${name}-saw.txt`)).toBe(
        `${name}.txt\n${name}\nWhat this box was given\n`,
      )
    }
  })
})

describe('B22 repositories of other shapes', () => {
  it('B22 an empty tree', async () => {
    const repo = aRepository({})
    const task = await plane.run({
      repo,
      argv: sh('ls -A | grep -v "^\\." > seen.txt; echo x > x.txt; true'),
    })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', '--name-only', task.branch)).toBe('seen.txt\nx.txt\n')
  })

  it('B22 submodules stay as they are, and an LFS pointer stays a pointer', async () => {
    const pointer =
      'version https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 12345\n'
    const inner = aRepository({ 'inner.txt': 'inner\n' })
    const repo = aRepository({
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'big.bin': pointer,
    })
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub')
    git(repo, 'commit', '-qm', 'Add a submodule')
    const task = await plane.run({ repo, argv: sh('ls sub | wc -l > count.txt; cp big.bin seen.txt') })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', task.branch, 'sub')).toBe(git(repo, 'ls-tree', 'main', 'sub'))
    expect(git(repo, 'show', `${task.branch}:count.txt`).trim()).toBe('0')
    expect(git(repo, 'show', `${task.branch}:seen.txt`)).toBe(pointer)
    expect(git(repo, 'diff', '--name-only', 'main', task.branch)).toBe('count.txt\nseen.txt\n')
  })

  async function bigFile(bytes: number): Promise<void> {
    const repo = aRepository()
    writeFileSync(join(repo, 'big.dat'), Buffer.alloc(bytes))
    git(repo, 'add', 'big.dat')
    git(repo, 'commit', '-qm', 'Add a big file')
    const task = await plane.run({
      repo,
      argv: sh('echo end >> big.dat'),
      test: `test $(stat -c %s big.dat) -ge ${bytes}`,
    })
    expect([task.status, task.outcome]).toEqual(['APPLIED', 'tested'])
    expect(git(repo, 'cat-file', '-s', `${task.branch}:big.dat`).trim()).toBe(`${bytes + 4}`)
  }
  it.each([50_000_000])('B22 a file of %i bytes', bigFile)

  async function manyFiles(folders: number): Promise<void> {
    const repo = aRepository()
    for (let index = 0; index < folders; index += 1) {
      const files = Array.from({ length: 100 }, (_, file) => [`d${index}/f${file}.txt`, `${index} ${file}\n`])
      layOut(repo, Object.fromEntries(files) as Record<string, string>)
    }
    git(repo, 'add', '-A')
    git(repo, 'commit', '-qm', 'Many files')
    const all = folders * 100
    const task = await plane.run({
      repo,
      argv: sh('for n in 1 2 3; do echo new > d$n/f1.txt; done; rm d4/f4.txt'),
      // The base or the finished tree, and nothing in between.
      test: `
        seen="$(cat d1/f1.txt d2/f1.txt d3/f1.txt d4/f4.txt 2> /dev/null | tr '\\n' ,) $(find d* -type f | wc -l)"
        echo "$seen"; [ "$seen" = '1 1,2 1,3 1,4 4, ${all}' ] || [ "$seen" = 'new,new,new, ${all - 1}' ]`,
    })
    expect([task.status, task.outcome]).toEqual(['APPLIED', 'tested'])
    expect(git(repo, 'diff', '--name-status', 'main', task.branch).trim().split('\n')).toEqual([
      'M\td1/f1.txt',
      'M\td2/f1.txt',
      'M\td3/f1.txt',
      'D\td4/f4.txt',
    ])
  }
  it.each([6])('B22 %i folders of a hundred files', manyFiles)

  // The same ways as above, in greater numbers.
  it.each([200_000_000])('B22 a file of %i bytes', { tags: ['long'] }, bigFile)
  it.each([500])('B22 %i folders of a hundred files', { tags: ['long'] }, manyFiles)

  it('bare, shallow or with alternates; where a branch named cofferdam is in the way; and of somebody else, to whom nothing of root’s is given', async () => {
    needRoot('giving a repository away')
    const source = aRepository()
    git(source, 'commit', '-q', '--allow-empty', '-m', 'Second')
    const place = folder()
    chmodSync(place, 0o755)
    git(place, 'clone', '-q', '--bare', source, 'bare')
    git(place, 'clone', '-q', '--depth', '1', `file://${source}`, 'shallow')
    git(place, 'clone', '-q', '--shared', source, 'shared')
    git(join(place, 'bare'), 'branch', 'cofferdam')
    execFileSync('chown', ['-R', '4242:4242', join(place, 'shallow')])
    for (const name of readdirSync(place)) {
      const repo = join(place, name)
      const task = await plane.run({ repo, argv: sh('echo x > x.txt') })
      const branch = name === 'bare' ? `cofferdam-${task.id}` : `cofferdam/${task.id}`
      expect([name, task.status, task.branch]).toEqual([name, 'APPLIED', branch])
      expect(git(repo, 'show', `${branch}:x.txt`)).toBe('x\n')
    }
    const theirs = join(place, 'shallow')
    const owners = readdirSync(theirs, { recursive: true, encoding: 'utf8' }).map(
      (path) => statSync(join(theirs, path)).uid,
    )
    expect([new Set(owners), statSync(theirs).uid]).toEqual([new Set([4242]), 4242])
  })
})
