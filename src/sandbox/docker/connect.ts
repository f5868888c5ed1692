import type Docker from 'dockerode'
import { Failure } from '../../domain/failure.ts'
import { remembered } from '../../domain/remembered.ts'
import { failureOf } from './failures.ts'
import { loadDockerode } from './load.ts'

/** What of an engine decides how a box is made. */
export interface EngineHost {
  readonly version: string
  readonly runc: string | null
  readonly cpus: number
  /** Whether swap can be limited; where not, the engine drops that limit with a warning. */
  readonly swapLimit: boolean
  /** Of `/info`: `name=seccomp,profile=default`, `name=apparmor`, ... */
  readonly security: readonly string[]
  readonly kernel: string
  /** Where the engine keeps all that is its own. */
  readonly rootFolder: string
  /** The engine's socket on this machine. */
  readonly socket: string
  /** The runtime that boxes are run with; null is the engine's own choice. */
  readonly runtime: string | null
}

/** A negotiated connection. */
export interface Api {
  readonly docker: Docker
  readonly host: EngineHost
  /**
   * One call to the engine. Rejects with a `Failure` whose sentence says what could not be done, also when there is no
   * answer within `seconds`; `what` completes "The Docker engine would not".
   */
  readonly ask: <T>(what: string, call: (limit: Limit) => Promise<T>, seconds?: number) => Promise<T>
}

/** Spread into a call's options; ends the request when its time is over. */
interface Limit {
  readonly abortSignal: AbortSignal
}

const defaultSocket = '/var/run/docker.sock'
// The newest API whose meaning the create body was checked with, and the oldest that has all of its fields.
const newestApi: ApiVersion = [1, 51]
const oldestApi: ApiVersion = [1, 41]

/**
 * Opens the engine behind a socket. The version is negotiated at the first call and remembered; a failed try is not.
 * `patience`: how long a call may take, seconds; `runtime`: what boxes are run with.
 */
export function connector(
  socketPath: string = defaultSocket,
  patience = 30,
  runtime: string | null = null,
): () => Promise<Api> {
  return remembered(() => negotiate(socketPath, patience, runtime))
}

async function negotiate(socketPath: string, patience: number, runtime: string | null): Promise<Api> {
  // An empty host keeps a DOCKER_HOST of the environment out: the socket is a setting, and boxes need a local engine.
  const options = { socketPath, host: '', protocol: 'http' } as const
  const Client = await loadDockerode()
  const plain = new Client(options)
  const ask = asker(socketPath, patience)
  const [version, info] = await Promise.all([
    ask('tell its version', () => plain.version()),
    ask('describe itself', () => plain.info() as Promise<Info>),
  ])
  const offered = numbers(version.ApiVersion)
  if (isBefore(offered, oldestApi))
    throw new Failure(
      'engine',
      `The Docker engine ${version.Version} at ${socketPath} is too old: install Docker 20.10 or newer.`,
    )
  const runtimes = Object.keys(info.Runtimes ?? {})
  if (runtime !== null && !runtimes.includes(runtime))
    throw new Failure(
      'bad_config',
      `The Docker engine has no runtime ${runtime}: take one of ${runtimes.join(', ')}, or none.`,
    )
  return {
    docker: new Client({
      ...options,
      version: `v${(isBefore(offered, newestApi) ? offered : newestApi).join('.')}`,
    }),
    ask,
    host: {
      version: version.Version,
      runc: version.Components?.find(({ Name }) => Name === 'runc')?.Version ?? null,
      cpus: info.NCPU,
      swapLimit: info.SwapLimit,
      security: info.SecurityOptions ?? [],
      kernel: info.KernelVersion,
      rootFolder: info.DockerRootDir,
      socket: socketPath,
      runtime,
    },
  }
}

interface Info {
  readonly NCPU: number
  readonly SwapLimit: boolean
  readonly SecurityOptions: readonly string[] | null
  readonly KernelVersion: string
  readonly DockerRootDir: string
  readonly Runtimes: Readonly<Record<string, unknown>> | null
}

function asker(where: string, patience: number): Api['ask'] {
  return async (what, call, seconds = patience) => {
    const limit = { abortSignal: AbortSignal.timeout(seconds * 1000) }
    try {
      return await timely(call(limit), limit)
    } catch (error) {
      throw failureOf(error, what, where, limit.abortSignal.aborted)
    }
  }
}

/** The promise, or a rejection when the time is over: an answer that stops in the middle would never settle. */
async function timely<T>(promise: Promise<T>, { abortSignal }: Limit): Promise<T> {
  const over = new Promise<never>((_, reject) => {
    abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error), { once: true })
  })
  return Promise.race([promise, over])
}

type ApiVersion = readonly [major: number, minor: number]

function numbers(version: string): ApiVersion {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return [major, minor]
}

function isBefore(a: ApiVersion, b: ApiVersion): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
}
