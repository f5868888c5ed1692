import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type Program, program } from '../support/program.ts'
import { applies } from '../support/scripted-plane.ts'
import { type Command, scriptedMachine } from '../support/scripted-world.ts'

let serving: Program
beforeAll(() => {
  serving = program(new URL('../support/serving.ts', import.meta.url))
}, 60_000)
afterAll(() => serving[Symbol.dispose]())

const patience = { pingMs: 1000, pings: 2 }
const run = ['run', '--repo', '.', '--goal', 'Make the tests pass', '--', 'true']

interface Held extends AsyncDisposable {
  /** The process that works on the data folder. */
  readonly child: ChildProcess
  readonly start: (...args: string[]) => Command
  /** What is said of it when it does not answer. */
  readonly sentence: string
}

async function held(): Promise<Held> {
  const machine = scriptedMachine(applies)
  const child = spawn(process.execPath, [serving.file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const folder = line.toString().trim()
  const data = join(folder, 'data')
  const env = { COFFERDAM_DATA: data, COFFERDAM_RUNTIME: join(folder, 'run') }
  return {
    child,
    start: (...args) => machine.start(args, { env, patience }),
    sentence: `Process ${child.pid} (serve) holds the data folder ${data} but does not answer; wait for it, or end it and try again.`,
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'close')
      child.kill('SIGKILL')
      await gone
      rmSync(folder, { recursive: true })
      machine.remove()
    },
  }
}

// Most of it is waiting, and with other files beside it the machine may be slow on top.
describe.concurrent('a process that holds the data folder and is suspended', { timeout: 90_000 }, () => {
  it('is named by every command, each in time', async ({ expect }) => {
    await using other = await held()
    other.child.kill('SIGSTOP')
    const began = performance.now()
    const commands = [['task', 'list'], ['task', 'stop', 'aaaaaaaaaa'], run].map((args) =>
      other.start(...args),
    )
    expect(await Promise.all(commands.map(({ code }) => code))).toEqual([7, 7, 7])
    expect(performance.now() - began).toBeLessThan(15_000)
    for (const { error } of commands) expect(error()).toContain(other.sentence)
  })

  it('is named by who follows a task there', async ({ expect }) => {
    await using other = await held()
    const following = other.start(...run)
    await following.printed('working')
    other.child.kill('SIGSTOP')
    expect(await following.code).toBe(7)
    expect(following.error()).toContain(other.sentence)
  })

  it('is followed again when it goes on', async ({ expect }) => {
    await using other = await held()
    const following = other.start(...run)
    await following.printed('working')
    other.child.kill('SIGSTOP')
    // By now it has been given up, and is being looked for.
    await sleep(4000)
    other.child.kill('SIGCONT')
    following.signal('SIGINT')
    expect(await following.code).toBe(6)
    expect(following.out()).toMatch(/\nSTOPPED {2}/)
  })
})
