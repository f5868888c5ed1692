import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import { type Program, program } from '../support/program.ts'
import { aRepository } from '../support/repository.ts'

/** A process of `cofferdam serve`. */
export interface Serving {
  readonly process: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  /** Resolves to its exit code when it has ended; null where a signal did it. */
  readonly code: Promise<number | null>
  /** Resolves when it works; rejects with what it said where it ends instead. */
  readonly works: Promise<void>
}

/** A data folder for `cofferdam serve`, in processes of their own, without an engine: what waits for a person needs none. */
export interface ServeLab extends Disposable {
  readonly data: string
  readonly client: Client
  /** @param prepare a shell script that is run before, in a mount namespace of its own */
  serve(prepare?: string | null, ...flags: string[]): Serving
  /** Submits a task that waits for a person. */
  draft(goal: string): Promise<Submitted>
}

/** Translates the program, which takes long: once for all tests of a file. */
export function cofferdam(): Program {
  return program(new URL('../../src/cli/main.ts', import.meta.url))
}

/** @param more what the configuration has besides */
export function serveLab({ file }: Program, more = ''): ServeLab {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-serve-'))
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  const repository = aRepository()
  const yaml = join(folder, 'cofferdam.yaml')
  writeFileSync(yaml, `engine: { socket: ${join(folder, 'none.sock')} }\n${more}`)
  const env = { ...process.env, COFFERDAM_RUNTIME: join(folder, 'run') }
  const config = loadConfig({ data, config: yaml }, { ...thisProcess(), env })
  const client = createClient(socketFetch(config.controlSocket))
  const children: ChildProcess[] = []
  return {
    data,
    client,
    serve(prepare = null, ...flags) {
      const command = [process.execPath, file, 'serve', '--data', data, '--config', yaml, ...flags]
      const [name = '', ...args] =
        prepare === null
          ? command
          : ['unshare', '--mount', 'sh', '-ec', `${prepare}\nexec "$@"`, 'sh', ...command]
      const child = spawn(name, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      children.push(child)
      let [output, errors] = ['', '']
      const works = new Promise<void>((resolve, reject) => {
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString()
          if (output.includes('Working on the tasks')) resolve()
        })
        child.on('close', () => reject(new Error(`it ended: ${errors}`)))
      })
      works.catch(() => undefined)
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk.toString()
      })
      const code = once(child, 'close').then(([exit]) => exit as number | null)
      return { process: child, output: () => output, errors: () => errors, code, works }
    },
    draft: (goal) =>
      client.submit(
        taskRequestSchema.parse({
          goal,
          repository,
          agent: { name: 'command', argv: ['true'] },
          draft: true,
        }),
      ),
    [Symbol.dispose](): void {
      for (const child of children) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      rmSync(repository, { recursive: true, force: true })
    },
  }
}

/** A file of this process's namespace, as everybody with the rights can reach it. */
export function inside({ process: { pid } }: Serving, path: string): HostPath {
  return `/proc/${pid}/root${path}` as HostPath
}
