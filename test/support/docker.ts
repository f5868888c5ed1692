import Docker from 'dockerode'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BoxResult, BoxSpec, Engine } from '../../src/domain/box.ts'
import type { ImageAgent } from '../../src/domain/image.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { dockerEngine, type DockerEngineOptions } from '../../src/sandbox/docker/engine.ts'
import { imageTag } from '../../src/sandbox/docker/image/agents.ts'
import { buildWithAgents } from '../../src/sandbox/docker/image/build-agents.ts'
import { aBox, boxUser, Notes, type Overrides } from './box.ts'
import { testMaterials, type TestMaterials } from './materials.ts'

export const dockerSocket = '/var/run/docker.sock'

/** The engine itself, to look behind our back. */
export const docker = new Docker({ socketPath: dockerSocket, host: '', protocol: 'http' })

/** Builds the sandbox image with these agents where it is missing; its tag. */
export async function sandboxImage(agents: readonly ImageAgent[] = []): Promise<string> {
  await buildWithAgents(docker, agents, { progress: () => undefined })
  return imageTag(agents)
}

/** An installation of its own on the real engine, gone with all its boxes at the end. */
export interface Bench extends AsyncDisposable {
  readonly installation: string
  readonly scratch: HostPath
  /** Where the sockets of its boxes are. */
  readonly runtimeFolder: HostPath
  readonly engine: Engine
  readonly materials: TestMaterials
  /** A second engine on the same folder, as after a restart. */
  reopen(options?: Partial<DockerEngineOptions>): Engine
  box(script: string, overrides?: Overrides): BoxSpec
  run(spec: BoxSpec, notes?: Notes, signal?: AbortSignal): Promise<BoxResult>
}

export async function bench(options: Partial<DockerEngineOptions> = {}): Promise<Bench> {
  const tag = await sandboxImage()
  const folder = await mkdtemp(join(tmpdir(), 'cofferdam-bench-'))
  const scratch = (options.scratch ?? join(folder, 'scratch')) as HostPath
  await mkdir(scratch, { recursive: true })
  const installation = `t${randomBytes(4).toString('hex')}`
  const runtimeFolder = join(folder, 'r') as HostPath
  const reopen: Bench['reopen'] = (more) =>
    dockerEngine({
      installation,
      user: boxUser,
      image: () => ({ from: 'ours', tag, agents: [] }),
      ...options,
      scratch,
      runtimeFolder,
      ...more,
    })
  const engine = reopen()
  const materials = await testMaterials()
  const image = (await docker.getImage(tag).inspect()).Id
  return {
    installation,
    scratch,
    runtimeFolder,
    engine,
    materials,
    reopen,
    box: (script, overrides) => aBox({ installation, image, argv: ['sh', '-c', script], ...overrides }),
    run: (spec, notes = new Notes(), signal = new AbortController().signal) =>
      engine.run(spec, materials, notes, signal),
    async [Symbol.asyncDispose]() {
      for (const { name } of await reopen({ socketPath: dockerSocket }).list())
        await docker.getContainer(name).remove({ force: true, v: true })
      await materials[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Paths below a folder that are not the box user's own. */
export function foreignPaths(folder: string, uid = 10001): string {
  return execFileSync('find', [folder, '-not', '-uid', String(uid)], { encoding: 'utf8' }).trim()
}
