import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { boxesOf } from '../support/boxes.ts'
import { engineProxy } from '../support/engine-proxy.ts'
import { needEngine } from '../support/needs.ts'
import { sh } from '../support/plane.ts'
import { program, type Program } from '../support/program.ts'
import { aRepository, git } from '../support/repository.ts'

// The program as a person runs it: each mistake is one sentence and an exit code, and leaves everything as it was.

let cofferdam: Program
let folder: string
let data: string
let repo: string
beforeAll(async () => {
  await needEngine()
  cofferdam = program('src/cli/main.ts')
})
afterAll(() => cofferdam[Symbol.dispose]())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-bad-'))
  data = join(folder, 'data')
  repo = aRepository({ 'a.txt': 'a\n' })
})
const started = new Set<ChildProcess>()
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  rmSync(repo, { recursive: true, force: true })
})

interface Running {
  readonly out: () => string
  readonly error: () => string
  readonly code: Promise<number | null>
}

function start(...args: readonly string[]): Running {
  const env = { PATH: process.env['PATH'], HOME: folder, COFFERDAM_DATA: data }
  const child = spawn(process.execPath, [cofferdam.file, ...args], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  const said = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text))
  const code = new Promise<number | null>((resolve) => {
    child.once('close', (exit) => {
      started.delete(child)
      resolve(exit)
    })
  })
  return { out: () => said.out, error: () => said.error, code }
}

async function ended(
  ...args: readonly string[]
): Promise<{ code: number | null; out: string; error: string }> {
  const running = start(...args)
  const code = await running.code
  return { code, out: running.out(), error: running.error() }
}

const run = (...more: readonly string[]): readonly string[] => [
  'run',
  '--repo',
  repo,
  '--goal',
  'Do it',
  ...more,
  '--',
  ...sh('echo b > b.txt'),
]

/** One line for people beside the note about a new data folder, and no stack. */
function sentence(error: string): string {
  const lines = error.split('\n').filter((line) => line !== '' && !line.startsWith('Made the data folder '))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^cofferdam: .*\.$/)
  return lines[0] ?? ''
}

describe('bad input', () => {
  const config = (text: string): readonly string[] => {
    writeFileSync(join(folder, 'c.yaml'), text)
    return ['--config', join(folder, 'c.yaml')]
  }
  const table: readonly [string, () => readonly string[], RegExp][] = [
    [
      'a path that is no repository',
      () => ['run', '--repo', folder, '--goal', 'x', '--', 'true'],
      /git init/,
    ],
    ['a negative number of steps', () => run('--steps', '-1'), /at least 1 step/],
    [
      'a configuration with an unknown key',
      () => run(...config('concurrency: 1\nbudgett: 3\n')),
      /ine 2.*budgett/,
    ],
  ]
  // What these are told is in test/domain and test/config; how it is said, with those above.
  const more: typeof table = [
    [
      'a path that is not there',
      () => ['run', '--repo', '/no/such', '--goal', 'x', '--', 'true'],
      /no folder/,
    ],
    ['an empty goal', () => ['run', '--repo', repo, '--goal', '', '--', 'true'], /goal is empty/],
    ['a negative time', () => run('--minutes', '-5'), /minute/],
    ['a configuration that is no YAML', () => run(...config('a: [\n')), /c\.yaml/],
    ['a configuration that is not there', () => run('--config', '/no/c.yaml'), /\/no\/c\.yaml/],
  ]

  async function refused(_: string, args: () => readonly string[], says: RegExp): Promise<void> {
    const before = git(repo, 'for-each-ref') + git(repo, 'status', '--porcelain')
    const result = await ended(...args())
    expect(result).toMatchObject({ code: 2, out: '' })
    expect(sentence(result.error)).toMatch(says)
    expect(git(repo, 'for-each-ref') + git(repo, 'status', '--porcelain')).toBe(before)
    if (existsSync(data)) expect((await ended('task', 'list')).out).toContain('No tasks yet')
  }
  const title = '%s: one sentence, exit code 2, no task, nothing touched'
  it.each(table)(title, refused)
  it.each(more)(title, { tags: ['long'] }, refused)
})

describe('a database that cannot be used', () => {
  const file = (): string => join(data, 'cofferdam.db')
  const table: readonly [string, () => void, RegExp][] = [
    [
      'of another program',
      () => {
        rmSync(file())
        const db = new Database(file())
        db.exec('CREATE TABLE history (url TEXT)')
        db.close()
      },
      /another program/,
    ],
    ['that was cut short', () => truncateSync(file(), 20_000), /damaged|not a database/],
  ]

  async function staysAsItIs(_: string, spoil: () => void, says: RegExp): Promise<void> {
    await ended('task', 'list')
    spoil()
    const before = readFileSync(file())
    for (const args of [run(), ['task', 'list']]) {
      const result = await ended(...args)
      expect(result).toMatchObject({ code: 7, out: '' })
      expect(sentence(result.error)).toMatch(says)
      expect(result.error).toContain(file())
    }
    expect(readFileSync(file()).equals(before)).toBe(true)
    expect(readdirSync(data).filter((entry) => entry.startsWith('cofferdam.db'))).toEqual(['cofferdam.db'])
    expect(git(repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n')
  }
  const title = '%s: one sentence, exit code 7, and it stays as it is'
  it.each(table)(title, staysAsItIs)
  // What is said of it is in test/control-plane/store/database.test.ts.
  it.each<(typeof table)[number]>([
    ['that is none', () => writeFileSync(file(), 'dear diary, '.repeat(500)), /is not a database/],
  ])(title, { tags: ['long'] }, staysAsItIs)
})

describe('B21 an engine that is not there', () => {
  const onSocket = (path: string): readonly string[] => {
    writeFileSync(join(folder, 'c.yaml'), `engine: { socket: ${path} }\n`)
    return ['--config', join(folder, 'c.yaml')]
  }

  it('B21 from the beginning: one sentence, exit code 7, no task', async () => {
    const result = await ended(...run(...onSocket(join(folder, 'none.sock'))))
    expect(result).toMatchObject({ code: 7, out: '' })
    expect(sentence(result.error)).toMatch(/The Docker engine does not answer at .*none\.sock: start it/)
    expect((await ended('task', 'list')).out).toContain('No tasks yet')
    expect(git(repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n')
  })

  it('B21 from the middle of a step on: the task waits, says so, and goes on in the same box when it is back', async () => {
    await using proxy = await engineProxy(join(folder, 'engine.sock'))
    const script = 'echo once >> a.txt; echo at work; sleep 6'
    const args = ['run', '--repo', repo, '--goal', 'Do it', ...onSocket(proxy.path), '--', ...sh(script)]
    const running = start(...args)
    await expect.poll(running.out, { timeout: 30_000 }).toContain('at work')
    const id = /Task ([a-z2-7]{10})/.exec(running.out())?.[1] ?? 'no id'
    await proxy.cut()
    await expect.poll(running.out, { timeout: 60_000 }).toMatch(/engine does not answer/)
    await proxy.restore()
    expect({ code: await running.code, error: running.error() }).toEqual({
      code: 0,
      error: expect.any(String),
    })
    expect(git(repo, 'show', `cofferdam/${id}:a.txt`)).toBe('a\nonce\n')
    expect(boxesOf(id)).toEqual([])
  })
})
