import { setTimeout as sleep } from 'node:timers/promises'
import type { Held, Opened } from '../../control-plane/main.ts'
import { type Client, createClient } from '../client/client.ts'
import { socketFetch, Unreachable } from '../client/fetch.ts'
import { greet, serverFetch, type ServerPlace } from '../client/server.ts'
import { type Patience, watchful } from '../client/watchful.ts'
import type { Config } from '../config/load.ts'
import { Failure, messageOf, systemCodeOf } from '../domain/failure.ts'
import { exitCode, exitOfFailure } from './exit.ts'
import { plain } from './render/text.ts'
import { debugging, type World } from './world.ts'

/** How long one may take to put everything away and let go, where its work is to go on, ms. */
const lettingGoMs = 120_000
const pauseMs = 100

/**
 * Something to do at a control plane. `sent`: an earlier try went out and was not answered, so all of it may be done
 * already, and what is refused for that reason is no failure.
 */
export type Errand<T> = (client: Client, sent: boolean) => Promise<T>

/** The control plane that a command is for. */
export interface Target {
  readonly world: World
  readonly config: Config
  /** Another place to go to than the data folder. */
  readonly server: ServerPlace | null
  /** The command, for people who find the data folder held. */
  readonly what: string
}

/**
 * The way to the control plane of a data folder: it is in this process, or in the one that holds the folder's lock. When
 * the other one has gone, `again` looks anew.
 */
export class Connection implements AsyncDisposable {
  readonly #target: Target
  #end: End

  private constructor(target: Target, end: End) {
    this.#target = target
    this.#end = end
  }

  /** Takes the lock where nobody has it, and works here; else goes to who has it. */
  static async host(target: Target): Promise<Connection> {
    if (target.server !== null) return new Connection(target, await afar(target, target.server))
    return new Connection(target, await firstOf(target, [here, there]))
  }

  /** Goes to who has the lock; takes it only where nobody has. */
  static async visit(target: Target): Promise<Connection> {
    if (target.server !== null) return new Connection(target, await afar(target, target.server))
    return new Connection(target, await firstOf(target, [there, here]))
  }

  /** Goes to who has the lock; null where nobody answers. */
  static async guest(target: Target): Promise<Connection | null> {
    if (target.server !== null) return await Connection.visit(target)
    const end = await there(target)
    return end.client === null ? null : new Connection(target, end)
  }

  get client(): Client {
    return this.#end.client
  }

  /** Whether the control plane is in this process. */
  get isHere(): boolean {
    return this.#end.here
  }

  /** Where the control plane is while it is not here, for a sentence. */
  get elsewhere(): string {
    const { server } = this.#target
    return server === null ? 'in the process that holds the data folder' : `at ${server.origin}`
  }

  /**
   * Looks anew for a control plane, after it could not be reached; where it is in this process, only waits a moment.
   * Rejects when `signal` aborts between two looks, and with `Failure('busy')` where nobody answers for too long.
   * @returns whether this process has taken the work over
   */
  async again(signal?: AbortSignal): Promise<boolean> {
    if (this.#end.here) {
      await sleep(pauseMs)
      return false
    }
    await this.#end.close()
    const { server } = this.#target
    if (server !== null) {
      this.#end = await afarAgain(this.#target, server, signal)
      return false
    }
    this.#end = await firstOf(this.#target, [here, there], lettingGoMs, signal)
    return this.#end.here
  }

  /** Does an errand until it is answered, wherever that is; so it has to be one that may be done twice. */
  async persist<T>(errand: Errand<T>, signal?: AbortSignal): Promise<T> {
    let sent = false
    for (;;) {
      try {
        return await errand(this.client, sent)
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error
        sent ||= error.sent
      }
      await this.again(signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end.close()
  }
}

/** Where a connection ends. */
interface End {
  readonly client: Client
  readonly here: boolean
  close(): PromiseLike<void> | void
}

type Look = (target: Target) => Promise<End | Absent>

/** Nobody is there. */
interface Absent {
  readonly client: null
  /** Who should be, where the lock was looked at. */
  readonly holder: Held | null
  /** How long somebody who takes connections has kept silent, ms. */
  readonly silentMs: number
}

/** One who holds the folder and lets go takes no connections any more; one who takes them and says nothing is stuck. */
async function firstOf(
  target: Target,
  looks: readonly Look[],
  patience = patienceMs(target.world.patience),
  signal?: AbortSignal,
): Promise<End> {
  const until = target.world.now() + patience
  let holder: Held | null = null
  let silentMs = 0
  while (target.world.now() < until && silentMs < patienceMs(target.world.patience)) {
    signal?.throwIfAborted()
    for (const look of looks) {
      const found = await look(target)
      if (found.client !== null) return found
      holder = found.holder ?? holder
      silentMs += found.silentMs
    }
    await sleep(pauseMs)
  }
  throw new Failure(
    'busy',
    `${holderName(holder?.owner ?? null)} holds the data folder ${target.config.dataFolder} but does not answer; wait for it, or end it and try again.`,
  )
}

/** How long a process that holds the data folder may take until it answers, ms. */
function patienceMs({ pingMs, pings }: Patience): number {
  return pingMs * (pings + 1)
}

async function here({ world, config, what }: Target): Promise<End | Absent> {
  const stderrLevel = debugging(world) ? 'debug' : 'fatal'
  const opened = await world.open(config, { what, attend: 'own', stderrLevel })
  if (isHeld(opened)) return { client: null, holder: opened, silentMs: 0 }
  void opened.lost.then((failure) => letGo(world, failure))
  if (opened.created) world.terminal.error(`Made the data folder ${config.dataFolder}.\n`)
  const client = createClient((path, call) => opened.fetch(path, call))
  return { client, here: true, close: () => opened[Symbol.asyncDispose]() }
}

/** At once: what is waited for here may be done by another process, and is never heard of then. Boxes are left to that one. */
function letGo(world: World, { code, message }: Failure): void {
  const { live, paint } = world.terminal
  // A line that says how it stands may be there.
  world.terminal.error(`${live ? '\n' : ''}${paint.red('cofferdam:')} ${plain(message)}\n`)
  world.exit(exitCode(exitOfFailure(code)))
}

async function there({ world: { patience }, config }: Target): Promise<End | Absent> {
  const fetch = socketFetch(config.controlSocket)
  const late = AbortSignal.timeout(patience.pingMs)
  try {
    await createClient(fetch).ping(late)
    return {
      client: createClient(watchful(fetch, patience)),
      here: false,
      close: () => fetch[Symbol.dispose](),
    }
  } catch (error) {
    fetch[Symbol.dispose]()
    if (late.aborted) return { client: null, holder: null, silentMs: patience.pingMs }
    if (error instanceof Unreachable) return { client: null, holder: null, silentMs: 0 }
    throw error
  }
}

/** The control plane of a server. Rejects with `Failure('server')` where none answers. */
async function afar({ world: { patience } }: Target, server: ServerPlace): Promise<End> {
  const { origin } = server
  const fetch = serverFetch(server)
  const late = AbortSignal.timeout(patience.pingMs)
  try {
    await greet(fetch, origin, late)
  } catch (error) {
    fetch[Symbol.dispose]()
    if (!late.aborted && !(error instanceof Unreachable)) throw error
    const why = late.aborted ? 'it says nothing' : causeOf(error)
    // A server that wants TLS says nothing that can be read without it.
    const tls = why === 'UND_ERR_SOCKET' && origin.startsWith('http:') ? ', try https://' : ''
    throw new Failure(
      'server',
      `No server answers at ${origin} (${why})${tls}: start \`cofferdam serve\` there with http.listen, or name another with --server.`,
      { cause: error },
    )
  }
  return {
    client: createClient(watchful(fetch, patience)),
    here: false,
    close: () => fetch[Symbol.dispose](),
  }
}

/** The same for one that has answered before: it may be starting again. */
async function afarAgain(target: Target, server: ServerPlace, signal?: AbortSignal): Promise<End> {
  const until = target.world.now() + patienceMs(target.world.patience)
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await afar(target, server)
    } catch (error) {
      if (target.world.now() >= until) throw error
    }
    await sleep(pauseMs)
  }
}

function causeOf(error: unknown): string {
  const fetchError = error instanceof Unreachable ? error.cause : error
  const cause = fetchError instanceof Error ? (fetchError.cause ?? fetchError) : fetchError
  return systemCodeOf(cause) || messageOf(cause)
}

export function isHeld(opened: Opened | Held): opened is Held {
  return 'kind' in opened
}

/** One errand at the control plane, wherever it is; it has to be one that may be done twice. */
export async function withControlPlane<T>(target: Target, errand: Errand<T>): Promise<T> {
  await using connection = await Connection.visit(target)
  return await connection.persist(errand)
}

/** Who holds a data folder, for the beginning of a sentence. */
export function holderName(owner: Held['owner']): string {
  return owner === null ? 'Another process' : `Process ${owner.pid} (${owner.what})`
}
