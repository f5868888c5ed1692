import type { BoxSpec } from '../../src/domain/box.ts'
import { createBody } from '../../src/sandbox/docker/body.ts'
import { createContainer } from '../../src/sandbox/docker/calls.ts'
import { locate } from '../../src/sandbox/docker/locate.ts'
import { placeMounts } from '../../src/sandbox/docker/place.ts'
import { makePlaceholders } from '../../src/sandbox/docker/placeholders.ts'
import { testMaterials } from '../support/materials.ts'
import type { Lab } from './lab.ts'
import { smallFiles } from './repositories.ts'

/** A container that the engine has made and started, with nothing of ours around it. */
interface RawBox {
  readonly id: string
  /** Milliseconds by call. */
  readonly times: Map<string, number>
}

/** The engine's floor for a spec: the same create body, and no call that the engine does not need. */
export interface RawBoxes {
  start(): Promise<RawBox>
  /** Create, start, wait, remove; milliseconds by call. */
  run(): Promise<ReadonlyMap<string, number>>
}

/** Lays out what the spec mounts, with the files of the small repository; made once, for all of its boxes. */
export async function rawBoxes(lab: Lab, spec: BoxSpec, exitCode = 0): Promise<RawBoxes> {
  const { api } = lab
  const folder = lab.fresh('raw')
  const materials = await testMaterials({ parent: folder, uid: spec.user.uid })
  await materials.write(materials.worktree, smallFiles)
  const locations = await locate(spec, materials, async () => lab.fresh('channel'))
  await makePlaceholders(spec, materials.worktree, folder)
  const mounts = await placeMounts(spec, locations, folder, false)
  const body = createBody(spec, mounts, lab.installation, api.host)
  let count = 0

  const start = async (): Promise<RawBox> => {
    count += 1
    const name = `cofferdam-${lab.installation}-${spec.task}-${count}`
    const times = new Map<string, number>()
    const created = await timed(times, 'create', () => createContainer(api, name, body))
    if (created === null) throw new Error(`the name ${name} is taken`)
    await timed(times, 'start', () => api.docker.getContainer(created.id).start())
    return { id: created.id, times }
  }
  return {
    start,
    async run() {
      const { id, times } = await start()
      const container = api.docker.getContainer(id)
      const { StatusCode } = (await timed(times, 'wait', () => container.wait())) as { StatusCode: number }
      await timed(times, 'remove', () => container.remove())
      if (StatusCode !== exitCode) throw new Error(`a raw box ended with code ${StatusCode}`)
      return times
    },
  }
}

export async function timed<T>(times: Map<string, number>, name: string, act: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  const result = await act()
  times.set(name, performance.now() - begun)
  return result
}

export function total(times: ReadonlyMap<string, number>): number {
  return [...times.values()].reduce((sum, ms) => sum + ms, 0)
}
