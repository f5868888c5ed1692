import { dirname } from 'node:path'
import type { AgentChoice, AgentSettings } from '../domain/agent.ts'
import type { HostPath } from '../domain/brand.ts'
import { budgetParts, defaultBudget } from '../domain/budget.ts'
import { Failure } from '../domain/failure.ts'
import { defaultPolicy, effectivePolicy, policyProblems } from '../domain/policies.ts'
import type { PolicyRequest } from '../domain/policy-request.ts'
import type { Policy } from '../domain/policy.ts'
import type { DiscordSettings } from '../domain/discord.ts'
import type { HttpSettings } from '../domain/listen.ts'
import type { WebhookSettings } from '../domain/outbox/webhook.ts'
import type { Retention } from '../domain/retention.ts'
import type { RemoteSettings } from '../domain/remote.ts'
import type { RepositoryDefaults } from '../domain/repository-defaults.ts'
import type { ConfiguredSchedule } from '../domain/schedule/request.ts'
import type { Secret } from '../domain/secret.ts'
import type { Budget } from '../domain/task.ts'
import type { PriceList, UpstreamSettings } from '../domain/upstream.ts'
import type { Environment } from './environment.ts'
import { deliveryOf } from './delivery.ts'
import { readConfigFile } from './file.ts'
import { pricesOf, secretsOf, upstreamsOf } from './providers.ts'
import { discordOf } from './discord.ts'
import { httpOf } from './http.ts'
import { type ImageSettings, imagesOf } from './images.ts'
import {
  authoritiesPlace,
  configPlace,
  dataPlace,
  enginePlace,
  expand,
  runtimePlace,
  socketPath,
} from './places.ts'
import { remotesOf, repositoryKey } from './remotes.ts'
import { schedulesOf } from './schedules.ts'
import { configSchema, type ConfigFile } from './schema.ts'
import { webhooksOf } from './webhooks.ts'

/** Everything an installation is told from outside, complete and frozen. */
export interface Config {
  /** The file it was read from; null where there is none. */
  readonly file: string | null
  readonly dataFolder: HostPath
  /** Whether this process is in a container of the image that deploy/Dockerfile makes, beside the engine's own. */
  readonly contained: boolean
  /** For sockets; its own for every data folder. */
  readonly runtimeFolder: HostPath
  readonly controlSocket: HostPath
  /** `image`: the tag of somebody else's; null is what `image` below says. */
  readonly engine: {
    readonly socket: HostPath
    readonly image: string | null
    /** Null is the engine's own default. */
    readonly runtime: string | null
  }
  readonly image: ImageSettings
  /** What all boxes together may be given, MiB. */
  readonly totalMemoryMb: number
  readonly upstreams: Readonly<Record<string, UpstreamSettings>>
  readonly prices: PriceList
  /** What is looked for in all that leaves a box: the keys of the upstreams, the secrets of webhooks, remotes and Discord, the tokens of forges, and others that are configured. */
  readonly secrets: readonly Secret[]
  readonly webhooks: readonly WebhookSettings[]
  /** Whom boxes run as. */
  readonly box: { readonly uid: number; readonly gid: number }
  readonly concurrency: number
  /** What the operator says about agents, by name. */
  readonly agents: Readonly<Record<string, AgentSettings>>
  /** What every task gets that does not say otherwise; without an agent a request has to name one. */
  readonly tasks: {
    readonly budget: Budget
    readonly agent: AgentChoice | null
    /** Who answers questions, where that is not who works on tasks. */
    readonly answerer: AgentChoice | null
    readonly policy: Policy
  }
  /** What holds for tasks on one repository, by its absolute, resolved path, or by its name where it has a URL. */
  readonly repositories: Readonly<Record<string, RepositoryDefaults>>
  /** Those that have a URL. */
  readonly remotes: readonly RemoteSettings[]
  readonly schedules: readonly ConfiguredSchedule[]
  readonly author: { readonly name: string; readonly email: string }
  /** Of certificates in PEM, which Node believes beside its own: `NODE_EXTRA_CA_CERTS`. Null is none. */
  readonly authorities: HostPath | null
  /** The private key that attestations are signed with; null is one in the data folder. */
  readonly attestationKey: HostPath | null
  readonly logLevel: ConfigFile['log']['level']
  readonly logCap: { readonly bytes: number; readonly files: number }
  readonly keep: Retention
  /** The API over TCP; null is the control socket alone. */
  readonly http: HttpSettings | null
  /** The front end on Discord; null is none. */
  readonly discord: DiscordSettings | null
}

/** What a command line says about the configuration. */
export interface ConfigFlags {
  readonly data?: string | undefined
  readonly config?: string | undefined
}

/** The uid and gid of boxes where the control plane is root: nobody's, and not that of a person on the host. */
const boxOfRoot = 10_001

export function loadConfig(flags: ConfigFlags, around: Environment): Config {
  const place = configPlace(flags.config, around)
  const found = readConfigFile(place.path, place.optional)
  const file = found ?? configSchema.parse({})
  const data = dataPlace(flags.data, file.data, place.path, around)
  const runtime = runtimePlace(file.runtime, place.path, data, around)
  const totalMemoryMb = file.total.memoryMb ?? Math.max(1024, around.memoryMb - reservedMb)
  const upstreams = upstreamsOf(file, place.path, around)
  const webhooks = webhooksOf(file, place.path, around)
  const discord = discordOf(file, place.path, around)
  const remotes = remotesOf(file, place.path, around)
  const policy = policyOf(place.path, file.policy, forMachine(defaultPolicy, around.cpus, totalMemoryMb))
  const repositories = repositoriesOf(file, place.path, policy, remotes, around)
  const tokens = Object.values(repositories).flatMap(({ delivery }) => delivery?.pull?.token ?? [])
  return deepFreeze({
    file: found === null ? null : place.path,
    dataFolder: data,
    contained: around.env['COFFERDAM_CONTAINER'] === '1',
    runtimeFolder: runtime,
    controlSocket: socketPath(runtime, 'control.sock'),
    engine: {
      socket: enginePlace(file.engine.socket, place.path, around),
      image: file.engine.image ?? null,
      runtime: file.engine.runtime ?? null,
    },
    image: imagesOf(file, place.path, data, around),
    totalMemoryMb,
    upstreams,
    prices: pricesOf(file.prices),
    secrets: [
      ...secretsOf(file, upstreams, place.path, around),
      ...webhooks.flatMap(({ secrets }) => secrets),
      ...(discord?.token == null ? [] : [discord.token]),
      ...remotes.flatMap(({ login }) => login?.password ?? []),
      ...tokens,
    ],
    webhooks,
    box: boxUser(file.box, around),
    concurrency: file.concurrency,
    agents: Object.fromEntries(Object.entries(file.agents).map(([name, said]) => [name, settingsOf(said)])),
    tasks: {
      budget: budgetOf(file.task),
      agent: file.task.agent ?? null,
      answerer: file.ask.agent ?? null,
      policy,
    },
    repositories,
    remotes,
    schedules: schedulesOf(file, place.path, around),
    author: { name: file.author.name ?? 'Cofferdam', email: file.author.email ?? 'cofferdam@localhost' },
    authorities: authoritiesPlace(around),
    attestationKey:
      file.attestation.key === undefined ? null : expand(file.attestation.key, dirname(place.path), around),
    logLevel: file.log.level,
    logCap: { bytes: file.log.mb * 1024 * 1024, files: file.log.files },
    keep: {
      worktrees: daysOf(file.keep.worktrees),
      output: daysOf(file.keep.output),
      undelivered: daysOf(file.keep.undelivered),
      audit: daysOf(file.keep.audit),
    },
    http: file.http === undefined ? null : httpOf(file.http, place.path, around),
    discord,
  })
}

/** Left to the machine where the configuration does not say how much boxes may have, MiB. */
const reservedMb = 1024

function policyOf(file: string, request: PolicyRequest | undefined, base: Policy): Policy {
  if (request === undefined) return base
  const problems = policyProblems(request, base)
  if (problems.length === 0) return effectivePolicy(request, base)
  throw new Failure('bad_config', `The configuration ${file} cannot be used. ${problems.join(' ')}`)
}

function settingsOf(
  said: { readonly model?: string | undefined; readonly upstream?: string | undefined } = {},
): AgentSettings {
  return { model: said.model ?? null, upstream: said.upstream ?? null }
}

function budgetOf({ agent: _, ...wanted }: ConfigFile['task']): Budget {
  return { ...defaultBudget, ...budgetParts(wanted) }
}

function repositoriesOf(
  file: ConfigFile,
  path: string,
  policy: Policy,
  remotes: readonly RemoteSettings[],
  around: Environment,
): Record<string, RepositoryDefaults> {
  const entries = Object.entries(file.repositories).map(([key, own]): [string, RepositoryDefaults] => {
    policyOf(path, own.policy, policy)
    // As git names it; a repository on a disk that is not there keeps the path it was given.
    return [repositoryKey(key, file, path, around), present(own, key, remotes, path, around)]
  })
  return Object.fromEntries(entries)
}

function present(
  { agent, setup, test, policy, budget, delivery, url }: ConfigFile['repositories'][string],
  key: string,
  remotes: readonly RemoteSettings[],
  path: string,
  around: Environment,
): RepositoryDefaults {
  const ssh = remotes.find(({ name }) => name === key)?.ssh ?? null
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(setup === undefined ? {} : { setup }),
    ...(test === undefined ? {} : { test }),
    ...(policy === undefined ? {} : { policy }),
    ...(budget === undefined ? {} : { budget: budgetParts(budget) }),
    ...(delivery === undefined
      ? {}
      : { delivery: deliveryOf(delivery, { name: key, url, ssh }, path, around) }),
  }
}

/** An engine refuses more processors than there are, and the default of one box is never more than all may have. */
function forMachine(policy: Policy, cpus: number, totalMemoryMb: number): Policy {
  const { limits } = policy
  const memoryMb = Math.min(limits.memoryMb, totalMemoryMb)
  return { ...policy, limits: { ...limits, cpus: Math.min(limits.cpus, cpus), memoryMb } }
}

function boxUser(wanted: ConfigFile['box'], { uid, gid }: Environment): Config['box'] {
  if (uid === 0) return { uid: wanted.uid ?? boxOfRoot, gid: wanted.gid ?? wanted.uid ?? boxOfRoot }
  if ((wanted.uid ?? uid) === uid && (wanted.gid ?? gid) === gid) return { uid, gid }
  throw new Failure(
    'bad_config',
    `Only root can run boxes as another user, and this is user ${uid}: remove "box" from the configuration.`,
  )
}

function daysOf(days: number | 'never'): number | null {
  return days === 'never' ? null : days
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
