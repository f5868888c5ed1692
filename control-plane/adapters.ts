import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../src/config/environment.ts'
import type { Config } from '../src/config/load.ts'
import type { Engine } from '../src/domain/box.ts'
import type { HostPath } from '../src/domain/brand.ts'
import type { NotTheSame } from '../src/domain/same-place.ts'
import type { WantedImage } from '../src/domain/image.ts'
import type { Forge, PullPlaces } from '../src/domain/delivery/forge.ts'
import type { Gateway } from '../src/domain/gateway.ts'
import { messageOf } from '../src/domain/failure.ts'
import { compilePolicy } from '../src/domain/matcher.ts'
import type { Remotes } from '../src/domain/remote.ts'
import type { Secret } from '../src/domain/secret.ts'
import type { Worktrees } from '../src/domain/worktree.ts'
import { openForge } from '../src/forges/open.ts'
import { createGateway } from '../src/gateway/gateway.ts'
import { anthropic } from '../src/gateway/upstreams/anthropic.ts'
import { gemini } from '../src/gateway/upstreams/gemini.ts'
import { openai } from '../src/gateway/upstreams/openai.ts'
import type { Upstream } from '../src/gateway/upstreams/upstream.ts'
import { dockerEngine, type DockerEngineOptions } from '../src/sandbox/docker/engine.ts'
import { foldersApart } from '../src/sandbox/docker/canary/folders.ts'
import { sweepMarks } from '../src/sandbox/docker/canary/mark.ts'
import { connector } from '../src/sandbox/docker/connect.ts'
import { imageTag } from '../src/sandbox/docker/image/agents.ts'
import { buildWithAgents } from '../src/sandbox/docker/image/build-agents.ts'
import { buildOwn, ownTag } from '../src/sandbox/docker/image/dockerfile.ts'
import { findImage, type ImagePlan } from '../src/sandbox/docker/image/find.ts'
import { findSource } from '../src/worktree/source.ts'
import { namedFolders } from './repositories.ts'
import { gitFolder } from '../src/sandbox/places.ts'
import { authoritiesFile } from '../src/worktree/authorities.ts'
import { openWorktrees } from '../src/worktree/open.ts'
import { openRemotes, type RemotesOptions } from '../src/worktree/remote/open.ts'

type EngineMore = Pick<DockerEngineOptions, 'installation' | 'now' | 'log' | 'patience'>

/** The engine that an installation is configured with. */
export function engineOf(config: Config, data: HostPath, runtimeFolder: HostPath, more: EngineMore): Engine {
  const { socket, runtime } = config.engine
  return dockerEngine({
    ...more,
    socketPath: socket,
    user: config.box,
    scratch: join(data, 'scratch') as HostPath,
    runtimeFolder,
    image: (repository) => planOf(config, repository),
    ...(runtime === null ? {} : { runtime }),
  })
}

/** Which image is for a repository: what is said of it goes before what is said of all. */
function planOf({ engine, image }: Config, repository: string | null): ImagePlan {
  const own = repository === null ? undefined : image.repositories[repository]
  if (own === undefined && engine.image !== null) return { tag: engine.image, from: 'tag' }
  const { agents } = image
  const base = imageTag(agents)
  const dockerfile = own ?? image.dockerfile
  return dockerfile === null
    ? { from: 'ours', tag: base, agents }
    : { from: 'dockerfile', tag: ownTag(dockerfile, base), agents }
}

/** Builds what is not there, or all of it anew. Resolves to the id of the image for any repository. */
export async function buildImages(
  { engine, image }: Config,
  progress: (line: string) => void,
  { fresh, agents }: WantedImage,
): Promise<string> {
  const { docker } = await connector(engine.socket)()
  const id = await buildWithAgents(docker, agents ?? image.agents, { progress }, fresh)
  if (agents !== null) return id
  const base = imageTag(image.agents)
  for (const each of new Set(Object.values(image.repositories)))
    await buildOwn(docker, each, base, { progress }, fresh)
  return image.dockerfile === null ? id : await buildOwn(docker, image.dockerfile, base, { progress }, fresh)
}

/**
 * Which folders are not the same for this process and for the engine: those of boxes' files and sockets, and where git has
 * the objects of each repository that the configuration names, for that is where work is handed over.
 */
export async function placesApart(
  config: Config,
  data: HostPath,
  installation: string,
  uid: number,
): Promise<readonly NotTheSame[]> {
  const { folders, gone } = await placesOf(config, data, uid)
  const connect = connector(config.engine.socket)
  const image = await findImage(connect, planOf(config, null), { agent: null }, new Map())
  return [...gone, ...(await foldersApart(await connect(), image, installation, folders))]
}

/** Removes what a kill in the middle of that has left in these folders. Nobody may be at it. */
export async function sweepPlaces(
  config: Config,
  data: HostPath,
  installation: string,
  uid: number,
): Promise<void> {
  const { folders } = await placesOf(config, data, uid)
  for (const folder of folders) await sweepMarks(folder, installation)
}

async function placesOf(config: Config, data: HostPath, uid: number) {
  const scratch = join(data, 'scratch') as HostPath
  await mkdir(scratch, { recursive: true })
  const gone: NotTheSame[] = []
  const repositories: HostPath[] = []
  for (const path of namedFolders(config))
    await findSource(path, uid).then(
      ({ commonDir }) => repositories.push(commonDir),
      (error: unknown) => gone.push({ path, why: unfinished(messageOf(error)) }),
    )
  return { folders: [scratch, config.runtimeFolder, ...repositories], gone }
}

/** A sentence as the end of another one. */
function unfinished(sentence: string): string {
  return sentence.replace(/\.$/, '')
}

/** The same engine for looking only: what its canary needs is made in a folder of its own, which goes with it. */
export function apartEngine(
  config: Config,
  around: Environment,
): Pick<Engine, 'describe' | 'image' | 'posture'> {
  const on = (folder: HostPath): Engine =>
    engineOf(config, folder, folder, { installation: 'none', patience: 5 })
  const there = on(config.dataFolder)
  return {
    describe: () => there.describe(),
    image: (need) => there.image(need),
    async posture() {
      const folder = (await mkdtemp(join(around.tmp, 'cofferdam-'))) as HostPath
      try {
        return await on(folder).posture()
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/**
 * Git on this machine, and the repositories by URL that it works with. Nothing is asked of those by opening it.
 * @param authoritiesIn where the list of authorities is put, if it is needed; else the data folder
 */
export function gitOf(
  { author, box, dataFolder: data, remotes, authorities: extra }: Config,
  { log, authoritiesIn = data }: { readonly log?: RemotesOptions['log']; readonly authoritiesIn?: HostPath },
): { readonly remotes: Remotes; readonly worktrees: Worktrees } {
  const believed = extra === null ? {} : { authorities: authoritiesFile(authoritiesIn, extra) }
  const opened = openRemotes({ data, author, remotes, ...believed, ...(log === undefined ? {} : { log }) })
  const places = { pointerTarget: gitFolder, policyMatcher: compilePolicy }
  return {
    remotes: opened,
    worktrees: openWorktrees({ data, user: box, author, remotes: opened, ...believed, ...places }),
  }
}

/** Where pull requests of each repository are opened, as it is configured. */
export function pullsOf({ repositories }: Pick<Config, 'repositories'>): PullPlaces {
  const forges = new Map<string, Promise<Forge>>()
  return (repository) => {
    const settings = repositories[repository]?.delivery?.pull
    if (settings === undefined) return null
    const { remote: url, user, token, network, ssh } = settings
    return {
      settings,
      remote: { url, user, token, network, ...(ssh === undefined ? {} : { ssh }) },
      forge() {
        const opened = forges.get(repository) ?? openForge(settings)
        forges.set(repository, opened)
        return opened
      },
    }
  }
}

/** The gateway with its upstreams. What it adds to requests is revealed here and nowhere else. */
export function gatewayOf(config: Config, clock: () => number): Gateway {
  return createGateway({
    upstreams: upstreamsOf(config),
    secrets: revealed(config.secrets),
    prices: config.prices.models,
    clock,
  })
}

type Where = { readonly origin?: string; readonly key: string | null }

const adapters: Readonly<Record<string, (where: Where) => Upstream>> = {
  anthropic,
  openai,
  gemini,
  'openai-compatible': (where) => openai({ ...where, name: 'openai-compatible' }),
}

function upstreamsOf({ upstreams }: Config): readonly Upstream[] {
  return Object.entries(upstreams).flatMap(([name, { origin, key }]) => {
    const where = { ...(origin === null ? {} : { origin }), key: key?.reveal() ?? null }
    const upstream = adapters[name]?.(where)
    return upstream === undefined ? [] : [upstream]
  })
}

/** For what looks for secrets in what boxes send and print. */
export function revealed(secrets: readonly Secret[]): readonly { name: string; value: string }[] {
  return secrets.map((secret) => ({ name: secret.name, value: secret.reveal() }))
}
