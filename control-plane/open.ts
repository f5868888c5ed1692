import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAgents } from '../src/agents/open.ts'
import { openDataFolder } from '../src/config/data-folder.ts'
import type { Environment } from '../src/config/environment.ts'
import type { Config } from '../src/config/load.ts'
import { readRegistries } from '../src/config/registries.ts'
import { openRuntimeFolder } from '../src/config/runtime-folder.ts'
import type { HostPath } from '../src/domain/brand.ts'
import type { Engine } from '../src/domain/box.ts'
import type { Caller } from '../src/domain/caller.ts'
import { Failure } from '../src/domain/failure.ts'
import type { TaskId } from '../src/domain/ids.ts'
import { KnownSecrets } from '../src/domain/leak.ts'
import { type HttpSettings, listenRefusal } from '../src/domain/listen.ts'
import type { Posture } from '../src/domain/posture.ts'
import { remembered } from '../src/domain/remembered.ts'
import { type NotTheSame, placesProblem } from '../src/domain/same-place.ts'
import { tokenRefusal } from '../src/domain/token.ts'
import type { Discord, DiscordDeps } from '../src/discord/open.ts'
import { specHash } from '../src/sandbox/hash.ts'
import { compileBox } from '../src/sandbox/spec.ts'
import { webhook } from '../src/webhooks/webhook.ts'
import { versionOf } from '../src/config/version.ts'
import { gitHere } from '../src/worktree/git-version.ts'
import { missingFrom } from '../src/worktree/missing.ts'
import { openAccess } from './access.ts'
import { engineOf, gatewayOf, gitOf, placesApart, pullsOf, revealed, sweepPlaces } from './adapters.ts'
import { attestor } from './attest/attestor.ts'
import { lostTasks } from './backup/lost.ts'
import { findKey, keyPlaces, openKey, type SigningKey } from './attest/key.ts'
import { copyBeforeUpgrade } from './backup/upgrade.ts'
import { Bus } from './bus.ts'
import { httpApp } from './http/app.ts'
import { dashboardPlaces } from './http/dashboard/files.ts'
import type { Door } from './http/door.ts'
import { serveSocket } from './http/socket.ts'
import { addressOf, serveTcp } from './http/tcp.ts'
import type { Seen } from './http/witness.ts'
import { Keeper } from './keep/keeper.ts'
import { engineLog, type Log, openLog } from './log.ts'
import { watchLock } from './lock-watch.ts'
import { Loop } from './loop/loop.ts'
import { OutputFiles } from './loop/output-files.ts'
import { openMetrics } from './metrics.ts'
import { outboxDesk } from './outbox/desk.ts'
import { Dispatcher } from './outbox/dispatcher.ts'
import { Plane } from './plane.ts'
import { PullFollower } from './pulls/follower.ts'
import { namedRepositories } from './repositories.ts'
import { endDeliveries } from './restored.ts'
import { ScheduleBook } from './schedule/book.ts'
import { takeConfigured } from './schedule/configured.ts'
import type { RunDeps } from './schedule/runs.ts'
import { Scheduler } from './schedule/scheduler.ts'
import { Indexer } from './search/indexer.ts'
import { search } from './search/search.ts'
import { Ballast, withBallast } from './store/ballast.ts'
import { lockFolder, type Owner, ownerOf, readOwner } from './store/lock.ts'
import { openStore } from './store/open.ts'
import { refuseOrphans } from './store/orphans.ts'
import { PageCheck, type PagesFound } from './store/page-check.ts'
import { searchIndex } from './store/search/index.ts'
import type { Store } from './store/store.ts'
import { type Defaults, draftTask } from './submit.ts'
import { Tasks } from './tasks.ts'
import { Together } from './together.ts'
import { ticks } from './ticks.ts'

export interface OpenOptions {
  /** What this process is, for people who find the data folder held: `run`, `serve`, ... */
  readonly what: string
  /** `all`: every pending task is worked on. `own`: those that a client attends. */
  readonly attend: 'own' | 'all'
  /** From this level on the log goes to stderr too; it always goes to the data folder. */
  readonly stderrLevel: string
  /** Another Discord than the real one, for tests. */
  readonly discordApi?: string
}

/** The control plane, open in this process. Disposing leaves running boxes to the next process. */
export interface Opened extends AsyncDisposable {
  /** The HTTP app, without a socket in between. */
  fetch(path: string, init: RequestInit): Promise<Response>
  /** Whether the data folder was made just now. */
  readonly created: boolean
  /** Where the API is offered over TCP, such as `http://127.0.0.1:7878`; null where it is not. */
  readonly origin: string | null
  /** Resolves to why this process may not go on with the data folder; it may never do so. */
  readonly lost: Promise<Failure>
  /** Resolves to what a look at the whole database has found; null where this process does not look. */
  readonly pages: Promise<PagesFound | null>
}

/** Another process has the data folder. */
export interface Held {
  readonly kind: 'held'
  readonly owner: Owner | null
}

/**
 * Opens the control plane on a data folder, and works on its tasks. Wiring only: config -> store -> adapters ->
 * services -> loop and HTTP. Rejects with `Failure('data_folder' | 'database' | 'disk' | 'bad_config')`.
 */
export async function open(
  config: Config,
  around: Environment,
  options: OpenOptions,
): Promise<Opened | Held> {
  // First what may be refused without a trace of a data folder.
  await openRuntimeFolder(config.runtimeFolder, around.uid)
  const data = await openDataFolder(config.dataFolder, around.uid, randomBytes)
  const owner = ownerOf(options.what, Date.now())
  const lock = lockFolder(data.path, owner)
  if (lock === null) return { kind: 'held', owner: readOwner(data.path) }

  // What is open is closed again in the opposite order, also when a later part cannot be opened.
  const closers: (() => PromiseLike<void> | void)[] = [() => lock[Symbol.dispose]()]
  const close = async (): Promise<void> => {
    // One that fails must not keep the others open, the lock least of all.
    const failures: unknown[] = []
    for (const closer of closers.splice(0).toReversed()) {
      try {
        await closer()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    const log = openLog(data.path, config.logLevel, options.stderrLevel, config.logCap)
    const database = join(data.path, 'cofferdam.db') as HostPath
    refuseOrphans(data.path, database)
    if (options.attend === 'all') await sweepPlaces(config, data.path, data.installation, around.uid)
    const apart = () => placesApart(config, data.path, data.installation, around.uid)
    // What is worked on in a container must be what the engine shows to boxes, and what people have on their disk.
    if (config.contained && options.attend === 'all') refuseApart(await apart())
    const places = keyPlaces(data.path, config.attestationKey)
    const { attestationKey } = config
    const aside = await copyBeforeUpgrade({
      data: data.path,
      attestationKey,
      owner,
      clock: Date.now,
      missing: missingFrom,
    })
    if (aside !== null)
      log.warn({ ...aside }, 'the database is brought up to date; a backup of how it was has been put aside')
    const store = withBallast(openStore(database), new Ballast(data.path))
    closers.push(() => store[Symbol.dispose]())
    const index = searchIndex(join(data.path, 'search.db') as HostPath)
    closers.push(() => index[Symbol.dispose]())
    const known = (): readonly string[] => store.attestationKeys()
    // What cannot be attested with is refused at once; what is not there yet is made with the first task.
    let own = findKey(places, known)
    const key = (): SigningKey => (own ??= openKey(places, known))

    const clock = Date.now
    const http = options.attend === 'all' ? config.http : null
    if (http !== null) refuseExposure(http, store, clock())
    const bus = new Bus((error) => log.error({ err: error }, 'who was to be told of a change failed'))
    const metrics = openMetrics({ store, bus, clock })
    closers.push(() => metrics[Symbol.dispose]())
    const indexer = new Indexer({ store, index, bus, log })
    closers.push(() => indexer[Symbol.dispose]())
    const attests = attestor({ store, key, installation: data.installation })
    const { discord: settings } = config
    const discord =
      settings === null
        ? null
        : await discordOf({
            settings,
            book: store.messages,
            clock,
            later: (ms, act) => ticks.later(ms, act),
            subscribe: (onlooker) => bus.subscribe(onlooker),
            log: discordLog(log),
            ...(options.discordApi === undefined ? {} : { api: options.discordApi }),
          })
    if (discord !== null) closers.push(() => discord[Symbol.asyncDispose]())
    const destinations = [
      ...config.webhooks.map((each) => webhook(each, { clock })),
      ...(discord === null ? [] : [discord.destination]),
    ]
    const { outbox } = store
    const dispatcher = new Dispatcher({
      outbox,
      destinations,
      bus,
      clock,
      ticks,
      log,
      random: Math.random,
    })
    closers.push(() => dispatcher[Symbol.asyncDispose]())
    // As a pull request is decided: without its token none is opened.
    const proposes = (repository: string): boolean =>
      config.repositories[repository]?.delivery?.pull?.token != null
    const tasks = new Tasks({ store, bus, clock, attestor: attests, destinations, proposes })
    const outputs = new OutputFiles(data.path)
    const docker = engineOf(config, data.path, config.runtimeFolder, {
      installation: data.installation,
      now: clock,
      log: engineLog(log),
    })
    // As a task that was begun last found it: what its steps are attested with.
    let posture: Posture | null = null
    const engine: Engine = { ...docker, posture: async () => (posture = await docker.posture()) }
    const { remotes, worktrees } = gitOf(config, { log: (level, text, more) => log[level](more, text) })
    const pulls = pullsOf(config)
    const secrets = new KnownSecrets(revealed(config.secrets))
    const registries = remembered(() => readRegistries(around))
    const shared = {
      store,
      tasks,
      bus,
      engine,
      worktrees,
      agents: openAgents(config.agents),
      outputs,
      clock,
      user: config.box,
      registries,
    }
    const compiled = { ...shared, compile: compileBox, installation: data.installation }
    const loop = new Loop(
      {
        ...compiled,
        specHash,
        log,
        sleep: pause,
        ticks,
        attestor: attests,
        posture: () => posture,
        gateway: gatewayOf(config, clock),
        pulls,
        secrets,
      },
      { limit: config.concurrency, memoryMb: config.totalMemoryMb, attend: options.attend },
    )
    closers.push(() => loop[Symbol.asyncDispose]())
    const settled = (id: TaskId): Promise<void> => loop.settled(id)
    const follower = new PullFollower({ store, tasks, pulls, clock, ticks, log, secrets })
    closers.push(() => follower[Symbol.asyncDispose]())
    const keeper = new Keeper({ ...shared, retention: config.keep, settled, ticks, log })
    closers.push(() => keeper[Symbol.asyncDispose]())

    const means = {
      memoryMb: config.totalMemoryMb,
      upstreams: config.upstreams,
      pricesAsOf: config.prices.asOf,
      pricesAreShipped: config.prices.isShipped,
    }
    const named = namedRepositories(config)
    let pages: PageCheck | null = null
    const defaults: Defaults = {
      ...config.tasks,
      means,
      repository: (path) => config.repositories[path] ?? {},
      isNamed: (path) => named.has(path),
    }
    const draft: RunDeps['draft'] = (request, id, by) => draftTask({ ...shared, defaults }, request, id, by)
    const scheduler = new Scheduler({ ...shared, draft, ticks, log })
    closers.push(() => scheduler[Symbol.asyncDispose]())
    // It may wait for a remote.
    closers.push(() => remotes.end())
    const plane = new Plane({
      ...compiled,
      together: new Together({ store, bus }),
      access: openAccess({ store, clock, random: randomBytes }),
      loop,
      schedules: new ScheduleBook({ ...shared, draft, changed: () => scheduler.wake() }),
      key: () => own ?? findKey(places, known),
      keyPlaces: places,
      lost: (heads) => lostTasks(data.path, heads, missingFrom),
      search: (request) => search({ store, index, indexer }, request),
      outbox: outboxDesk({
        outbox,
        destinations: new Set(destinations.map(({ name }) => name)),
        clock,
        wake: () => dispatcher.wake(),
      }),
      defaults,
      discord: () => discord?.connection() ?? null,
      pages: () => pages?.found ?? null,
      apart,
      git: gitHere,
      version: versionOf(),
      repositories: config.repositories,
      scheduled: config.schedules,
      remotes,
      pulls,
      data: data.path,
    })
    // Who can open the control socket owns the data folder.
    const local: Caller = { actor: { kind: 'local', id: userName(around.uid) }, role: 'owner' }
    const report = (error: unknown, requestId: string): void =>
      log.error({ err: error, requestId }, 'a request failed')
    const seen = (each: Seen): void => {
      metrics.seen(each)
      // A dashboard that looks on would be most of the log.
      log[each.method === 'GET' && each.status < 400 ? 'debug' : 'info'](lineOf(each), 'request')
    }
    const shown = { report, seen, metrics: () => metrics.text() }
    const app = httpApp(plane, { ...shown, caller: () => local })
    const servesAll = options.attend === 'all'
    takeConfigured(store.schedules, config.schedules, clock(), servesAll)
    endDeliveries({ data: data.path, store, tasks, clock })
    await loop.recover()
    const socket = await serveSocket(app, config.controlSocket)
    closers.push(() => socket[Symbol.asyncDispose]())
    // Only who works on all tasks is there for others.
    const listening =
      http === null
        ? null
        : await serveTcp(
            httpApp(plane, { ...shown, door: doorFor(http), dashboard: dashboardPlaces() }),
            http,
            {
              renewed: () => log.info('the API has a new certificate'),
              failed: (why) =>
                log.error({ why }, 'the new certificate of the API was not taken; the old one stays'),
            },
          )
    if (listening !== null) closers.push(() => listening[Symbol.asyncDispose]())
    // After that, so that what is on record can be looked at while the engine, which may hang, is asked for the first time.
    loop.start()
    keeper.start()
    // So that a task need not wait for it.
    if (servesAll) remotes.begin()
    // Whoever changes a task has Discord told of it; one process alone listens there.
    discord?.start(plane, servesAll)
    dispatcher.start()
    // A command that only looks in makes no tasks for others to find.
    if (servesAll) {
      scheduler.start()
      follower.start()
    }
    log.info({ ...owner, data: data.path }, 'the control plane is open')
    // Last of all, so that nothing waits for it.
    if (servesAll) {
      const looked = (pages = new PageCheck(database))
      closers.push(() => looked[Symbol.dispose]())
      void logPages(looked, log)
    }
    const watch = watchLock(lock, data.path, ticks)
    closers.push(() => watch[Symbol.dispose]())
    return {
      created: data.created,
      origin: listening?.origin ?? null,
      pages: pages?.ended ?? Promise.resolve(null),
      lost: watch.lost,
      fetch: async (path, init) => await app.request(path, init),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function logPages({ ended }: PageCheck, log: Log): Promise<void> {
  const { state, text } = await ended
  if (state !== 'ok') log.error({ why: text }, 'the database is damaged, or could not be looked at')
}

/** The library is loaded where it is used: it takes 26 MB of the 124 MB that the program then has resident. */
async function discordOf(deps: DiscordDeps): Promise<Discord> {
  const { openDiscord } = await import('../src/discord/open.ts')
  return openDiscord(deps)
}

function discordLog(log: Log): DiscordDeps['log'] {
  return (level, text, more) => log[level]({ ...more, front: 'discord' }, text)
}

/** Throws `Failure('bad_config')` where the API must not be offered as it is configured. */
function refuseExposure(http: HttpSettings, store: Store, now: number): void {
  const good = store.access.tokens().filter((token) => tokenRefusal(token, now) === null)
  const refused = listenRefusal(http, good.length)
  if (refused !== null) throw new Failure('bad_config', refused)
}

function refuseApart(found: readonly NotTheSame[]): void {
  const problem = placesProblem(found)
  if (problem !== null) throw new Failure('engine', problem)
}

function doorFor({ hosts, perMinute, tls, proxyTls }: HttpSettings): Door {
  const isSecure = tls !== null || proxyTls
  return { hosts, perMinute, isSecure, address: (context) => addressOf(context, proxyTls) }
}

/** A request as the log has it. */
function lineOf({ requestId, actor, method, route, status, ms }: Seen) {
  const who = actor === null ? null : `${actor.kind} ${actor.id}`
  return { requestId, actor: who, method, route, status, ms: Math.round(ms * 10) / 10 }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function userName(uid: number): string {
  try {
    return userInfo().username
  } catch {
    // A uid without an entry in the password file, as in many containers.
    return `uid ${uid}`
  }
}
