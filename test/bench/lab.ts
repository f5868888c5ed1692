import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { thisProcess } from '../../src/config/environment.ts'
import { enginePlace, hostPath } from '../../src/config/places.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { type Api, connector } from '../../src/sandbox/docker/connect.ts'
import { buildImage, imageTag } from '../../src/sandbox/docker/image.ts'
import { ours } from '../../src/sandbox/docker/labels.ts'

/** The surroundings of one run: a folder for all that it writes, the engine, and the duty to clear both up. */
export interface Lab extends AsyncDisposable {
  readonly folder: HostPath
  readonly api: Api
  readonly engine: { readonly socket: HostPath; readonly image: string }
  /** Names the raw boxes on the engine: another name than any control plane has, whose reaper would take them. */
  readonly installation: string
  /** A new folder. */
  fresh(name: string): HostPath
  /** Boxes of this installation are removed at the end. */
  owns(installation: string): void
  /** Is called at the end, the last first, also where the run is interrupted; has to bear being called again. */
  atEnd(close: () => PromiseLike<void> | void): void
  say(line: string): void
}

export async function openLab(say: (line: string) => void): Promise<Lab> {
  const socket = enginePlace(undefined, '/', thisProcess())
  const api = await connector(socket)()
  await buildImage(api.docker, { progress: say })
  const folder = hostPath(mkdtempSync(join(tmpdir(), 'cofferdam-measure-')))
  const installation = `b${randomBytes(5).toString('hex')}`
  const installations = new Set([installation])
  const closers: (() => PromiseLike<void> | void)[] = []
  let count = 0
  return {
    folder,
    api,
    engine: { socket, image: imageTag() },
    installation,
    fresh(name) {
      count += 1
      const path = hostPath(join(folder, `${count}-${name}`))
      mkdirSync(path)
      return path
    },
    owns: (name) => installations.add(name),
    atEnd: (close) => closers.push(close),
    say,
    async [Symbol.asyncDispose]() {
      for (const close of closers.splice(0).toReversed()) await close()
      for (const name of installations) await removeBoxes(api, name)
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function removeBoxes({ docker }: Api, installation: string): Promise<void> {
  const found = await docker.listContainers({ all: true, filters: ours(installation) })
  await Promise.all(
    found.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true, v: true })
        .catch(() => undefined),
    ),
  )
}
