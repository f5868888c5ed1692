import type { BoxSpec, Engine } from '../../domain/box.ts'
import type { HostPath, Millis } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import type { ImageNeed } from '../../domain/image.ts'
import { remembered } from '../../domain/remembered.ts'
import { findPosture } from './canary/posture.ts'
import { nameOf } from './canary/judge.ts'
import { channels } from './channel.ts'
import { connector } from './connect.ts'
import { boxes } from './containers.ts'
import { findImage, type ImagePlan, missing } from './image/find.ts'
import { removeBox, sweepLeftovers } from './leftovers.ts'
import type { Parts } from './parts.ts'
import { runBox } from './run.ts'

export interface DockerEngineOptions {
  /** The engine's socket; `/var/run/docker.sock` where it is not said. */
  readonly socketPath?: string
  /** Names this installation on the engine: lowercase letters and digits, at most 12. */
  readonly installation: string
  /** Whom boxes run as: the canary too, so that it finds what they would. */
  readonly user: BoxSpec['user']
  /** A folder of our own for what boxes need beside their sources: journals, throw-away folders. */
  readonly scratch: HostPath
  /** Which image is for a repository, by its absolute path; null: any. */
  readonly image: (repository: string | null) => ImagePlan
  /** A folder for sockets that nobody else can enter; its path is short, as sockets' have to be. */
  readonly runtimeFolder: HostPath
  /** Which of the engine's runtimes boxes are run with; the engine's own choice where it is not said. */
  readonly runtime?: string
  /** How long the engine has to answer a call, seconds; 30 where it is not said. */
  readonly patience?: number
  readonly now?: () => Millis
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** How long a posture is not asked for again, ms. */
const postureMs = 60_000

/** The engine on the Docker of this machine. Makes no call until it is used. */
export function dockerEngine(options: DockerEngineOptions): Engine {
  const {
    socketPath,
    installation,
    user,
    scratch,
    runtimeFolder,
    image: planOf,
    runtime,
    patience,
    now = Date.now,
    log = () => undefined,
  } = options
  const isOurs = (name: string): boolean =>
    name.startsWith(`cofferdam-${installation}-`) && !name.includes('/')
  const connect = connector(socketPath, patience, runtime)
  const parts: Parts = {
    connect,
    installation,
    user,
    scratch,
    planOf,
    now,
    log,
    ids: new Map(),
    images: new Map(),
    channels: channels(runtimeFolder, installation),
    busy: new Set(),
    canaries: new Set(),
    views: { refused: false },
  }
  const image = async (need: ImageNeed = { agent: null, repository: null }): Promise<string> =>
    await findImage(connect, planOf(need.repository), need, parts.images)
  // Over a connection of its own, as the engine may have become another under the one that is there.
  let foundAt = 0
  const posture = remembered(
    () => {
      foundAt = performance.now()
      return findPosture({ ...parts, connect: connector(socketPath, patience, runtime) }, () => image())
    },
    () => performance.now() - foundAt > postureMs,
  )
  return {
    async describe() {
      const api = await connect()
      await api.ask('answer', () => api.docker.ping())
      return nameOf(api.host)
    },

    image,
    posture,

    async run(spec, materials, watcher, signal) {
      if (!spec.name.startsWith(`cofferdam-${installation}-`))
        throw new Error(`not a box of ours: ${spec.name}`)
      // Another runtime is trusted with a box only when its canary has found the walls.
      if (runtime !== undefined) await posture()
      parts.busy.add(spec.name)
      try {
        return await runBox(parts, spec, materials, watcher, signal)
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'image') throw error
        parts.images.clear()
        const plan = planOf(null)
        throw plan.from === 'tag' ? new Failure('image', missing(plan)) : error
      } finally {
        parts.busy.delete(spec.name)
      }
    },

    async list() {
      const found = await boxes(await connect(), parts)
      return found.filter(({ name }) => !parts.canaries.has(name)).map(({ id: _, ...seen }) => seen)
    },

    async remove(name) {
      if (!isOurs(name)) return
      await removeBox(parts, name)
    },

    async sweep(keep) {
      await sweepLeftovers(parts, keep)
    },
  }
}
