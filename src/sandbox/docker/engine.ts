import type { Engine, EngineDescription } from '../../domain/box.ts'
import type { HostPath, Millis } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { connector, type Host } from './connect.ts'
import { statusOf } from './failures.ts'
import { boxes, removeContainer } from './containers.ts'
import { clearFolder, sweepLeftovers } from './leftovers.ts'
import type { Parts } from './parts.ts'
import { runBox } from './run.ts'

export interface DockerEngineOptions {
  /** The engine's socket; `/var/run/docker.sock` where it is not said. */
  readonly socketPath?: string
  /** Names this installation on the engine: lowercase letters and digits, at most 12. */
  readonly installation: string
  /** A folder of our own for what boxes need beside their sources: journals, throw-away folders. */
  readonly scratch: HostPath
  readonly imageTag: () => string
  /** The tag is that of `engine.image`: somebody else's image, which `cofferdam image build` does not make. */
  readonly imageIsConfigured?: boolean
  /** How long the engine has to answer a call, seconds; 30 where it is not said. */
  readonly patience?: number
  readonly now?: () => Millis
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** The engine on the Docker of this machine. Makes no call until it is used. */
export function dockerEngine(options: DockerEngineOptions): Engine {
  const {
    socketPath,
    installation,
    scratch,
    imageTag,
    imageIsConfigured = false,
    patience,
    now = Date.now,
    log = () => undefined,
  } = options
  const isOurs = (name: string): boolean =>
    name.startsWith(`cofferdam-${installation}-`) && !name.includes('/')
  const connect = connector(socketPath, patience)
  const parts: Parts = {
    connect,
    installation,
    scratch,
    imageTag,
    now,
    log,
    ids: new Map(),
    image: null,
    busy: new Set(),
    views: { refused: false },
  }
  return {
    async describe() {
      const api = await connect()
      await api.ask('answer', () => api.docker.ping())
      return describe(api.host)
    },

    async image() {
      const tag = imageTag()
      if (parts.image?.tag === tag) return parts.image.id
      const api = await connect()
      try {
        const { Id: id } = await api.ask('show its image', () => api.docker.getImage(tag).inspect())
        parts.image = { tag, id }
        return id
      } catch (error) {
        if (statusOf(error) !== 404) throw error
        if (imageIsConfigured) throw lacksConfigured(tag)
        throw new Failure('image', 'The sandbox image is not built yet: run `cofferdam image build`.')
      }
    },

    async run(spec, materials, watcher, signal) {
      if (!spec.name.startsWith(`cofferdam-${installation}-`))
        throw new Error(`not a box of ours: ${spec.name}`)
      parts.busy.add(spec.name)
      try {
        return await runBox(parts, spec, materials, watcher, signal)
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'image') throw error
        parts.image = null
        throw imageIsConfigured ? lacksConfigured(imageTag()) : error
      } finally {
        parts.busy.delete(spec.name)
      }
    },

    async list() {
      const found = await boxes(await connect(), parts)
      return found.map(({ id: _, ...seen }) => seen)
    },

    async remove(name) {
      if (!isOurs(name)) return
      const api = await connect()
      const id = parts.ids.get(name) ?? (await boxes(api, parts)).find((box) => box.name === name)?.id
      if (id !== undefined) await removeContainer(api, id)
      parts.ids.delete(name)
      await clearFolder(parts, name)
    },

    async sweep(keep) {
      await sweepLeftovers(parts, keep)
    },
  }
}

function lacksConfigured(tag: string): Failure {
  const text = `The image ${tag} of engine.image is not on the engine: build or pull it, or remove the key.`
  return new Failure('image', text)
}

function describe({ version, runc, security }: Host): EngineDescription {
  const has = (name: string): boolean => security.some((option) => option.startsWith(`name=${name}`))
  const warnings = [
    ...(has('seccomp') ? [] : ['no seccomp: boxes are not filtered in what they may ask of the kernel']),
    ...(has('apparmor') || has('selinux')
      ? []
      : ['no AppArmor or SELinux: one layer of the boxes is missing']),
    ...(runc !== null && isOldRunc(runc)
      ? [`runc ${runc} has known escapes: 1.2.8 or newer is advised`]
      : []),
  ]
  return { name: `docker ${version}${runc === null ? '' : `, runc ${runc}`}`, warnings }
}

/** Older than the fixes for CVE-2025-31133 and its family: 1.2.8, 1.3.3. Distributions may have backported them. */
function isOldRunc(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+~-]/).map(Number)
  if (major !== 1) return major < 1
  return minor < 2 || (minor === 2 && patch < 8) || (minor === 3 && patch < 3)
}
