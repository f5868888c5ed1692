import { spawn, type ChildProcess } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { diskFailure } from './disk.ts'
import { hardenedEnv, type Author, type GitPlace, type Setting } from './hardening.ts'

/** Whose rights a process has. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

export interface GitOptions {
  readonly input?: Buffer | string
  /** Runs under these ids; ours where null. */
  readonly as?: Identity | null
  readonly config?: readonly Setting[]
  readonly env?: Readonly<Record<string, string>>
  /** Wall time, milliseconds; half an hour unless told. */
  readonly timeoutMs?: number
  /** Output kept, bytes; 512 MiB unless told. More ends the process: `cut` answers what came before, else it fails. */
  readonly mostBytes?: number
  readonly cut?: boolean
  /** Is handed what git says of its progress, as it comes. */
  readonly onErr?: (text: string) => void
  /** The size of one file that it may write, bytes; beyond it the system ends the process that does. */
  readonly mostFileBytes?: number
}

export interface GitAnswer {
  readonly code: number
  readonly out: Buffer
  readonly err: string
  readonly cut: boolean
}

/** Hardened git on the host: the only way this adapter starts it, apart from a look at a user's repository. */
export interface Git {
  /** Answers whatever the exit code is. */
  ask(place: GitPlace | null, args: readonly string[], options?: GitOptions): Promise<GitAnswer>
  /** The output; rejects with a `Failure` where the exit code is not 0. */
  run(place: GitPlace | null, args: readonly string[], options?: GitOptions): Promise<Buffer>
  /** The output as one line. */
  line(place: GitPlace | null, args: readonly string[], options?: GitOptions): Promise<string>
  /** Ends every process that runs, and those that would be started after: their calls reject with a `Failure`. */
  end(): void
  /** The same git, whose processes end like that when this signal is aborted too. */
  until(signal: AbortSignal): Git
}

export interface GitSettings {
  /** Where `git` is looked for, as in PATH. */
  readonly searchPath: string
  readonly author: Author
  /** Of certificates, in PEM: whom it believes over TLS; those of the system unless told. */
  readonly authorities?: HostPath
}

/** Where git is looked for where nobody says. */
export const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const minute = 60_000
const mebibyte = 1024 * 1024
/** How long git may take away its locks and unfinished files, ms. */
const graceMs = 1000

export function openGit(settings: GitSettings): Git {
  const closing = new AbortController()
  return gitUntil(settings, closing.signal, () => closing.abort())
}

function gitUntil(settings: GitSettings, signal: AbortSignal, end: () => void): Git {
  // As many processes as there are tasks listen at once.
  setMaxListeners(0, signal)
  const ask: Git['ask'] = (place, args, options = {}) => start(settings, place, args, options, signal)
  const run: Git['run'] = async (place, args, options) => {
    const answer = await ask(place, args, options)
    if (answer.code !== 0) throw gitFailure(args[0] ?? '', answer.err)
    return answer.out
  }
  return {
    ask,
    run,
    line: async (...call) => (await run(...call)).toString('utf8').trim(),
    end,
    until: (other) => gitUntil(settings, AbortSignal.any([signal, other]), end),
  }
}

/** What git said, as a failure for people. */
export function gitFailure(command: string, err: string): Failure {
  const said = err
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
  const disk = diskFailure(err)
  if (disk !== null) return disk
  const reason = said.slice(0, 3).join('; ').slice(0, 500)
  return new Failure(
    'worktree',
    `git ${command} failed: ${reason === '' ? 'it said nothing' : reason}. Mend that, then try again.`,
  )
}

function start(
  settings: GitSettings,
  place: GitPlace | null,
  args: readonly string[],
  options: GitOptions,
  closing: AbortSignal,
): Promise<GitAnswer> {
  if (closing.aborted) return Promise.reject(endedEarly(args))
  const { timeoutMs = 30 * minute, mostBytes = 512 * mebibyte } = options
  const where = place === null ? [] : [`--git-dir=${place.gitDir}`]
  if (place?.workTree !== undefined) where.push(`--work-tree=${place.workTree}`)
  const limits =
    options.mostFileBytes === undefined
      ? []
      : ['prlimit', `--fsize=${options.mostFileBytes}`, '--core=0', '--']
  const [program = 'git', ...words] = [...limits, 'git', ...where, ...args]
  const child = spawn(program, words, {
    cwd: '/',
    env: {
      ...hardenedEnv(settings.searchPath, settings.author, [
        ...believed(settings),
        ...(options.config ?? []),
      ]),
      ...(place?.index === undefined ? {} : { GIT_INDEX_FILE: place.index }),
      ...options.env,
    },
    // A group of its own, so that what git starts can be ended with it and a Ctrl-C at a terminal does not reach it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.as ? { uid: options.as.uid, gid: options.as.gid } : {}),
  })
  return new Promise((resolve, reject) => {
    const out: Buffer[] = []
    let err = ''
    let size = 0
    let ended: 'time' | 'size' | 'abort' | null = null
    let last: NodeJS.Timeout | undefined
    const end = (why: 'time' | 'size' | 'abort'): void => {
      if (ended !== null) return
      ended = why
      signalGroup(child, 'SIGTERM')
      last = setTimeout(signalGroup, graceMs, child, 'SIGKILL')
    }
    const timer = setTimeout(end, timeoutMs, 'time')
    const abort = (): void => end('abort')
    closing.addEventListener('abort', abort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      if (size < mostBytes) out.push(chunk.subarray(0, mostBytes - size))
      size += chunk.length
      if (size > mostBytes) end('size')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      options.onErr?.(text)
      if (err.length < mebibyte) err += text
    })
    // A process that ends before it has read everything; its exit code tells.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    const settled = (): void => {
      clearTimeout(timer)
      clearTimeout(last)
      closing.removeEventListener('abort', abort)
    }
    child.on('error', (error) => {
      settled()
      reject(
        new Failure('worktree', `git cannot be started: ${error.message}. Install git 2.36 or newer.`, {
          cause: error,
        }),
      )
    })
    child.on('close', (code) => {
      settled()
      const command = args[0] ?? ''
      if (ended === 'time')
        reject(
          new Failure('worktree', `git ${command} took longer than ${timeoutMs / 1000} s and was ended.`),
        )
      else if (ended === 'size' && options.cut !== true)
        reject(new Failure('worktree', `git ${command} printed more than ${mostBytes} bytes and was ended.`))
      else if (ended === 'abort') reject(endedEarly(args))
      else
        resolve({
          code: ended === 'size' ? 0 : (code ?? 1),
          out: Buffer.concat(out),
          err,
          cut: ended === 'size',
        })
    })
  })
}

function believed({ authorities }: GitSettings): readonly Setting[] {
  return authorities === undefined ? [] : [['http.sslCAInfo', authorities]]
}

function endedEarly(args: readonly string[]): Failure {
  return new Failure('worktree', `git ${args[0] ?? ''} was ended: nobody waits for it any more.`)
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended by itself.
  }
}
