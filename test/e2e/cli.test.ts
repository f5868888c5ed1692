import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { boxesOf } from '../support/boxes.ts'
import { needEngine } from '../support/needs.ts'
import { sh } from '../support/plane.ts'
import { keepPosture, lendPosture } from '../support/posture.ts'
import { aRepository, git } from '../support/repository.ts'
import { until } from '../support/until.ts'

// The built program, as a person runs it.
const program = join(import.meta.dirname, '../../dist/program/cofferdam.js')

beforeAll(() => needEngine())

interface Command {
  readonly child: ChildProcess
  readonly out: () => string
  readonly code: Promise<number | null>
}

/** A repository and a data folder of one test's own: most of these wait, so they run beside each other. */
interface Desk extends AsyncDisposable {
  readonly folder: string
  readonly repo: string
  cofferdam(this: void, ...args: string[]): Command
  start(this: void, env: Readonly<Record<string, string>>, ...args: string[]): Command
  /** A task as `task show --json` gives it. */
  shown(this: void, id: string): Promise<{ status: string; spent: { ms: number } }>
}

async function aDesk(): Promise<Desk> {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-cli-'))
  const data = join(folder, 'data')
  const running = new Set<ChildProcess>()
  await lendPosture(data)
  const start: Desk['start'] = (env, ...args) => {
    const mark = args.indexOf('--')
    const own = ['--data', data]
    const line = mark === -1 ? [...args, ...own] : [...args.slice(0, mark), ...own, ...args.slice(mark)]
    const child = spawn(process.execPath, [program, ...line], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    running.add(child)
    let out = ''
    const take = (chunk: Buffer): void => {
      out += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const code = new Promise<number | null>((resolve) => {
      child.once('close', (exit) => {
        running.delete(child)
        resolve(exit)
      })
    })
    return { child, out: () => out, code }
  }
  const cofferdam: Desk['cofferdam'] = (...args) => start({}, ...args)
  return {
    folder,
    repo: aRepository({ 'a.txt': 'wrong\n', 'test.sh': 'grep -q right a.txt\n' }),
    cofferdam,
    start,
    async shown(id) {
      const show = cofferdam('task', 'show', id, '--json')
      await exits(show, 0)
      return (JSON.parse(show.out()) as { task: { status: string; spent: { ms: number } } }).task
    },
    async [Symbol.asyncDispose]() {
      for (const child of running) await ended(child, () => child.kill('SIGKILL'))
      keepPosture(data)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise((resolve) => {
    child.once('close', resolve)
  })
  end()
  await gone
}

async function printed(command: Command, text: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    if (command.out().includes(text)) return
  }
  throw new Error(`"${text}" is not printed:\n${command.out()}`)
}

/** The open end of a pipe that somebody reads from; null where nobody does. */
function writerOf(pipe: string): number | null {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return null
  }
}

/** With what it printed, which says why where it is another code, or none within two minutes. */
async function exits(command: Command, code: number): Promise<void> {
  const exit = await Promise.race([command.code, sleep(120_000, 'none')])
  expect({ code: exit, out: command.out() }).toMatchObject({ code })
}

function idIn(command: Command): string {
  return /Task ([a-z2-7]{10})/.exec(command.out())?.[1] ?? 'no id'
}

const ticking = (seconds: number): readonly string[] =>
  sh(`for i in $(seq ${seconds}); do echo tick $i; sleep 1; done; echo right > a.txt`)
const slow = ticking(8)

describe.concurrent('a run that is suspended', () => {
  it('takes a box that ended meanwhile as it ended, and charges the time that it ran', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam, shown } = desk
    const script = sh('echo at work; sleep 2; echo right > a.txt')
    const run = cofferdam('run', '--repo', repo, '--goal', 'Right it', '--minutes', '0.2', '--', ...script)
    await printed(run, 'agent │ at work')
    run.child.kill('SIGSTOP')
    // Longer than the box may take, and than the grace after that.
    await sleep(21_000)
    run.child.kill('SIGCONT')
    await exits(run, 0)
    const task = await shown(idIn(run))
    expect(task.status).toBe('APPLIED')
    expect(task.spent.ms).toBeGreaterThan(1500)
    expect(task.spent.ms).toBeLessThan(6000)
  })
})

describe.concurrent('the command line', () => {
  it('answers a question by itself, and a follow-up by the process that serves', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    const alone = cofferdam('ask', 'What is in a.txt?', '--repo', repo, '--', 'cat', 'a.txt')
    await exits(alone, 0)
    expect(alone.out()).toMatch(/APPLIED \(answered\)[^]*\nwrong\n$/)
    const serve = cofferdam('serve')
    await printed(serve, 'Working on the tasks')
    const more = ['--follow-up', idIn(alone), '--', 'cat', '/cofferdam/attempt/prompt.md']
    const followed = cofferdam('ask', 'And why?', ...more)
    await exits(followed, 0)
    expect(followed.out()).toMatch(/\| Question: What is in a\.txt\?\n\| Answer: wrong\n/)
    expect(git(repo, 'branch', '--list', 'cofferdam*')).toBe('')
    await ended(serve.child, () => serve.child.kill('SIGTERM'))
  })

  it('applies a goal, in plain lines where nobody looks', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    const script = sh(String.raw`printf '\033[31mat work\033[0m\n'; echo right > a.txt`)
    const run = cofferdam(
      'run',
      '--repo',
      repo,
      '--goal',
      'Right it',
      '--test',
      'sh test.sh',
      '--',
      ...script,
    )
    await exits(run, 0)
    expect(run.out()).toContain('    agent │ at work\n')
    expect(run.out()).not.toContain('\u001b')
    expect(git(repo, 'show', `cofferdam/${idIn(run)}:a.txt`)).toBe('right\n')
    const diff = cofferdam('task', 'diff', idIn(run))
    expect([await diff.code, diff.out().includes('+right')]).toEqual([0, true])
  })

  it('Ctrl-C stops the task with its box, and a resume goes on with it', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    const run = cofferdam('run', '--repo', repo, '--goal', 'Right it', '--', ...slow)
    await printed(run, 'tick 1')
    const id = idIn(run)
    run.child.kill('SIGINT')
    await exits(run, 6)
    expect(run.out()).toContain(`task resume ${id}`)
    expect(boxesOf(id)).toEqual([])
    const resumed = cofferdam('task', 'resume', id)
    await exits(resumed, 0)
    expect(git(repo, 'show', `cofferdam/${id}:a.txt`)).toBe('right\n')
  })

  it('goes on where a killed process was, in the same box', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    // Long enough for the guest to come while it works, on a busy machine too.
    const owner = cofferdam('run', '--repo', repo, '--goal', 'Two', '--', ...ticking(25))
    await printed(owner, 'tick 1')
    const guest = cofferdam('run', '--repo', repo, '--goal', 'Three', '--', ...slow)
    await printed(guest, 'tick 1')
    await ended(owner.child, () => owner.child.kill('SIGKILL'))
    await exits(guest, 0)
    expect(guest.out()).toContain('going on here')
    expect(guest.out()).toContain(`not be worked on here: ${idIn(owner)}`)
    expect(guest.out()).toContain('Takes over the agent box')
    const rest = cofferdam('task', 'watch', idIn(owner))
    await exits(rest, 0)
    expect(git(repo, 'show', `cofferdam/${idIn(owner)}:a.txt`)).toBe('right\n')
  })

  it('submits again when the process that takes the task is killed in the middle', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    const owner = cofferdam('serve')
    await printed(owner, 'Working on the tasks')
    // Git waits here for somebody who writes, so the submission cannot come to its end.
    const pipe = join(repo, '.gitignore')
    execFileSync('mkfifo', [pipe])
    const run = cofferdam('run', '--repo', repo, '--goal', 'Right it', '--', ...sh('echo right > a.txt'))
    let writing: number | null = null
    await until(() => (writing = writerOf(pipe)) !== null)
    rmSync(pipe)
    await ended(owner.child, () => owner.child.kill('SIGKILL'))
    closeSync(writing ?? -1)
    await exits(run, 0)
    const list = cofferdam('task', 'list', '--json')
    await exits(list, 0)
    expect(list.out().match(/"status":"APPLIED"/g)).toHaveLength(1)
    expect(list.out().match(/"delivery":/g)).toHaveLength(1)
  })

  // The same sentence, with a configured socket, is in bad-input.test.ts.
  it(
    'makes no task where the engine does not answer, and says so within seconds',
    { tags: ['long'] },
    async ({ expect }) => {
      await using desk = await aDesk()
      const { folder, repo, cofferdam, start } = desk
      const began = Date.now()
      const env = { DOCKER_HOST: `unix://${join(folder, 'no.sock')}` }
      const run = start(env, 'run', '--repo', repo, '--goal', 'Right it', '--', 'true')
      await exits(run, 7)
      expect(Date.now() - began).toBeLessThan(30_000)
      expect(run.out()).toContain('no.sock')
      const list = cofferdam('task', 'list')
      await exits(list, 0)
      expect(list.out()).toContain('No tasks yet')
    },
  )

  it('SIGTERM leaves the box running for the next process', async ({ expect }) => {
    await using desk = await aDesk()
    const { repo, cofferdam } = desk
    const run = cofferdam('run', '--repo', repo, '--goal', 'Right it', '--', ...slow)
    await printed(run, 'tick 1')
    run.child.kill('SIGTERM')
    await exits(run, 143)
    expect(boxesOf(idIn(run))).toHaveLength(1)
    const rest = cofferdam('task', 'watch', idIn(run))
    await exits(rest, 0)
    expect(rest.out()).toContain('Takes over the agent box')
  })
})
