import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import picocolors from 'picocolors'
import { diagnose } from '../../control-plane/doctor.ts'
import { httpApp } from '../../control-plane/http/app.ts'
import { serveTcp } from '../../control-plane/http/tcp.ts'
import { serveSocket } from '../../control-plane/http/socket.ts'
import { watchLock } from '../../control-plane/lock-watch.ts'
import { backUpData, type Opened, restoreData } from '../../control-plane/main.ts'
import { ticks } from '../../control-plane/ticks.ts'
import { lockFolder, readOwner } from '../../control-plane/store/lock.ts'
import { cli } from '../../src/cli/cli.ts'
import type { World } from '../../src/cli/world.ts'
import { type Patience, patience } from '../../src/client/watchful.ts'
import { findDataFolder, openDataFolder } from '../../src/config/data-folder.ts'
import { type Environment, thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { usualRates } from '../../src/domain/listen.ts'
import { type Behaviour, type Script, ScriptedPlane } from './scripted-plane.ts'
import { anOwner } from './task.ts'

/** One command line at work: what it has printed so far, and what a person or the system does to it. */
export interface Command {
  readonly out: () => string
  readonly error: () => string
  readonly code: Promise<number>
  /** Waits until `text` is printed, on either stream. */
  readonly printed: (text: string) => Promise<void>
  readonly signal: (name: 'SIGINT' | 'SIGTERM') => void
  /** What `exit` was called with, at once. */
  readonly exits: readonly number[]
  /** Takes the control plane of this command away, as a kill would. */
  readonly kill: () => Promise<void>
}

export interface CommandOptions {
  /** What a person answers, in order; with it there is a person at the terminal. */
  readonly answers?: readonly (string | null)[]
  /** A terminal with a live line. */
  readonly live?: boolean
  readonly input?: string
  /** What works on tasks, when it is this command. */
  readonly script?: Script
  readonly behaviour?: Behaviour
  readonly env?: Readonly<Record<string, string>>
  readonly buildImage?: World['buildImage']
  readonly setUpDiscord?: World['setUpDiscord']
  readonly patience?: Patience
}

/** A machine with a data folder, where command lines are run: all real but boxes, git and the terminal. */
export interface ScriptedMachine {
  readonly folder: string
  readonly data: string
  readonly start: (args: readonly string[], options?: CommandOptions) => Command
  /** Runs a command to its end. */
  readonly run: (args: readonly string[], options?: CommandOptions) => Promise<Ended>
  /** A server that never answers a call; `arrived` resolves when one has come. */
  readonly hanging: (hangs: NonNullable<Behaviour['hangs']>) => Promise<Hanging>
  readonly remove: () => void
}

export interface Hanging {
  readonly owner: Command
  readonly arrived: Promise<void>
}

export interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

export function scriptedMachine(script: Script): ScriptedMachine {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-cli-'))
  const data = join(folder, 'data')
  const start: ScriptedMachine['start'] = (args, options = {}) =>
    startCommand(folder, args, { script, ...options })
  return {
    folder,
    data,
    start,
    run: async (args, options) => {
      const command = start(args, options)
      return { code: await command.code, out: command.out(), error: command.error() }
    },
    hanging: async (hangs) => {
      let onHang = (): void => undefined
      const arrived = new Promise<void>((resolve) => {
        onHang = resolve
      })
      const owner = start(['serve'], { behaviour: { hangs, onHang: () => onHang() } })
      await owner.printed('Working on the tasks')
      return { owner, arrived }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Has requests to `app` hang that are to. */
function hang(app: ReturnType<typeof httpApp>, { hangs, onHang }: Behaviour): void {
  const { fetch } = app
  app.fetch = async (request, ...more) => {
    const what = `${request.method} ${new URL(request.url).pathname}`
    if (!(hangs?.call instanceof RegExp) || !hangs.call.test(what)) return await fetch(request, ...more)
    if (hangs.when === 'after') await fetch(request, ...more)
    onHang?.()
    return await new Promise(() => undefined)
  }
}

function startCommand(
  folder: string,
  args: readonly string[],
  options: CommandOptions & { script: Script },
): Command {
  const around: Environment = {
    ...thisProcess(),
    cwd: folder,
    env: { COFFERDAM_DATA: join(folder, 'data'), COFFERDAM_RUNTIME: join(folder, 'run'), ...options.env },
  }
  let out = ''
  let error = ''
  let look = (): void => undefined
  const exits: number[] = []
  const handlers = new Set<(name: 'SIGINT' | 'SIGTERM') => void>()
  const answers = [...(options.answers ?? [])]
  let kill = (): Promise<void> => Promise.resolve()
  const world: World = {
    around,
    terminal: {
      asks: options.answers !== undefined,
      obeys: options.live ?? false,
      live: options.live ?? false,
      paint: picocolors.createColors(false),
      width: () => 100,
      out: (text) => {
        out += text
        look()
      },
      error: (text) => {
        error += text
        look()
      },
      drained: () => Promise.resolve(),
      ask: (question, signal) => {
        out += question
        look()
        if (answers.length > 0) return Promise.resolve(answers.shift() ?? null)
        return new Promise((resolve) => {
          if (signal.aborted) resolve(null)
          signal.addEventListener('abort', () => resolve(null))
        })
      },
      input: () => Promise.resolve(options.input ?? ''),
    },
    loadConfig: (flags) => loadConfig(flags, around),
    backup: (config, folder, keep) => backUpData(config, around, folder, keep),
    restore: (config, folder) => restoreData(config, around, folder),
    setUpDiscord:
      options.setUpDiscord ??
      (() => {
        throw new Error('nobody sets Discord up here')
      }),
    buildImage: options.buildImage ?? (() => Promise.resolve('sha256:1')),
    diagnose: (config) =>
      diagnose({
        engine: {
          describe: () => Promise.resolve('scripted'),
          image: () => Promise.resolve('sha256:1'),
          posture: () =>
            Promise.resolve({ level: 'strong', missing: [], engine: 'scripted', seen: {}, at: 0 }),
        },
        git: () => Promise.resolve('git 2.39.5'),
        version: '0.1.0',
        agents: [],
        data: config.dataFolder,
        tmp: around.tmp,
        diskFreeMb: 0,
        attestationKey: () => 'key 1',
        find: () => findDataFolder(config.dataFolder, around.uid),
        alive: () => false,
      }),
    async open(config, { what }) {
      const { path, created } = await openDataFolder(config.dataFolder, around.uid, randomBytes)
      const lock = lockFolder(path, { pid: process.pid, startedAt: Date.now(), what })
      if (lock === null) return { kind: 'held', owner: readOwner(path) }
      const watch = watchLock(lock, path, ticks)
      const plane = new ScriptedPlane(path, options.script, options.behaviour)
      const report = (failure: unknown): void => {
        error += `reported: ${String(failure)}\n`
      }
      const app = httpApp(plane, { caller: () => anOwner, report })
      hang(app, options.behaviour ?? {})
      const { http } = config
      const door = { hosts: [], perMinute: usualRates, isSecure: false, address: () => 'here' }
      const tcp =
        http === null || what !== 'serve' ? null : await serveTcp(httpApp(plane, { door, report }), http)
      const server = await serveSocket(app, config.controlSocket)
      const close = async (): Promise<void> => {
        await tcp?.[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
        plane[Symbol.dispose]()
        watch[Symbol.dispose]()
        lock[Symbol.dispose]()
      }
      kill = close
      const opened: Opened = {
        created,
        origin: tcp?.origin ?? null,
        pages: Promise.resolve(null),
        lost: watch.lost,
        fetch: async (route, init) => app.request(route, init),
        [Symbol.asyncDispose]: close,
      }
      return opened
    },
    onSignal(handler) {
      handlers.add(handler)
      return { [Symbol.dispose]: () => handlers.delete(handler) }
    },
    exit: (code) => exits.push(code),
    patience: options.patience ?? patience,
    now: Date.now,
  }
  const code = cli(args, world)
  return {
    out: () => out,
    error: () => error,
    code,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`"${text}" is not printed:\n${out}\n${error}`)),
          10_000,
        )
        look = () => {
          if (!out.includes(text) && !error.includes(text)) return
          clearTimeout(late)
          resolve()
        }
        look()
      }),
    signal: (name) => {
      for (const handler of handlers) handler(name)
    },
    exits,
    kill: () => kill(),
  }
}
