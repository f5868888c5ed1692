import { join } from 'node:path'
import type { BoxWatcher } from '../../../src/domain/box.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Overseer } from '../../../src/domain/gateway.ts'
import { createGateway } from '../../../src/gateway/gateway.ts'
import { dockerEngine } from '../../../src/sandbox/docker/engine.ts'
import { installationLabels } from '../../../src/sandbox/docker/labels.ts'
import { aBox, anEgress } from '../../support/box.ts'
import { testMaterials } from '../../support/materials.ts'
import { aPolicy } from '../../support/task.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { timed, total } from '../raw-box.ts'
import { smallFiles } from '../repositories.ts'
import { median } from '../statistics.ts'
import { partsText } from '../steps.ts'

const masks = Array.from({ length: 20 }, (_, index) => `secret-${index}.txt`)
const command = ['true']
const kinds = ['walled', 'bridged', 'off', 'none'] as const

/**
 * All that the product does for a walled box (its whole spec, 20 masks that need placeholders, its socket with the gateway
 * behind it; made, compared, watched, ended and removed) against a container of the same image and the same folder with
 * nothing else said, each alone with the engine. Once against the container that `docker run` makes, which has a network
 * card; and once against one whose network is turned off, as a box's is, so that what a card costs cannot hide what walls do.
 */
export const hardening: Measurement = {
  names: ['hardening'],
  rounds: 30,
  async run(lab, rounds) {
    await using boxes = await openBoxes(lab)
    const times: Readonly<Record<(typeof kinds)[number], Times[]>> = {
      walled: [],
      bridged: [],
      off: [],
      none: [],
    }
    // The first round warms everything: it is not counted. In turns, so that a busy moment meets all of them.
    for (let round = 0; round <= rounds; round += 1)
      for (const kind of kinds) {
        const taken = await boxes[kind]()
        if (round > 0) times[kind].push(taken)
      }
    const value = median(times.walled.map(total))
    return {
      measured: [
        {
          name: 'hardening_against_container_with_card',
          value,
          unit: 'ms',
          floor: median(times.bridged.map(total)),
          reach: { of: 'ratio', limit: 'most', than: 1.1 },
        },
        {
          name: 'hardening_against_container_without_card',
          value,
          unit: 'ms',
          floor: median(times.off.map(total)),
          reach: { of: 'ratio', limit: 'most', than: 1.1 },
        },
      ],
      notes: [
        `walled: ${partsText(times.walled)} (means of ${rounds})`,
        `with a card, on the default bridge as \`docker run\` makes it: ${partsText(times.bridged)}`,
        `without one, its network turned off: ${partsText(times.off)}`,
        `on the network "none", which the engine lays out: ${partsText(times.none)}`,
      ],
    }
  },
}

type Times = ReadonlyMap<string, number>
type Boxes = Readonly<Record<(typeof kinds)[number], () => Promise<Times>>> & AsyncDisposable

interface Network {
  readonly NetworkDisabled?: true
  readonly HostConfig?: { readonly NetworkMode: string }
}

async function openBoxes(lab: Lab): Promise<Boxes> {
  const { api, installation } = lab
  const image = (await api.docker.getImage(lab.engine.image).inspect()).Id
  const spec = aBox({
    installation,
    image,
    argv: command,
    egress: anEgress,
    policy: aPolicy({ readonly: [], deny: masks }),
  })
  if (spec.mounts.filter(({ why }) => masks.some((name) => why === `deny ${name}`)).length !== masks.length)
    throw new Error(`the box has other masks than it was asked for: ${JSON.stringify(spec.mounts)}`)
  const materials = await testMaterials({ parent: lab.fresh('hardening'), uid: spec.user.uid })
  await materials.write(materials.worktree, smallFiles)
  const engine = dockerEngine({
    socketPath: lab.engine.socket,
    installation,
    user: spec.user,
    scratch: lab.fresh('boxes'),
    runtimeFolder: join(lab.folder, 'r') as HostPath,
    image: () => ({ from: 'ours', tag: lab.engine.image, agents: [] }),
  })
  const gateway = createGateway({ upstreams: [], secrets: [], prices: {}, clock: Date.now })
  const forever = new AbortController().signal
  let count = 0

  const bare = async ({ HostConfig, ...network }: Network): Promise<Times> => {
    count += 1
    const times = new Map<string, number>()
    const { id } = await timed(times, 'create', () =>
      api.docker.createContainer({
        name: `${spec.name}-bare-${count}`,
        Image: image,
        Entrypoint: command,
        Cmd: [],
        Labels: installationLabels(installation),
        ...network,
        HostConfig: {
          ...HostConfig,
          Mounts: [{ Type: 'bind', Source: materials.worktree, Target: '/work' }],
        },
      }),
    )
    const container = api.docker.getContainer(id)
    await timed(times, 'start', () => container.start())
    const { StatusCode } = (await timed(times, 'wait', () => container.wait())) as { StatusCode: number }
    await timed(times, 'remove', () => container.remove())
    if (StatusCode !== 0) throw new Error(`a container ended with code ${StatusCode}`)
    return times
  }

  return {
    async walled() {
      const times = new Map<string, number>()
      const passage = gateway.open(spec, nobody)
      materials.serve = (line) => passage.accept(line)
      const result = await timed(times, 'run', () => engine.run(spec, materials, unheard, forever))
      await timed(times, 'remove', () => engine.remove(spec.name))
      await timed(times, 'close its passage', () => passage.close())
      if (result.end !== 'exited' || result.exitCode !== 0)
        throw new Error(`a walled box ended: ${JSON.stringify(result)}`)
      return times
    },
    bridged: () => bare({}),
    off: () => bare({ NetworkDisabled: true, HostConfig: { NetworkMode: 'none' } }),
    none: () => bare({ HostConfig: { NetworkMode: 'none' } }),
    [Symbol.asyncDispose]: () => materials[Symbol.asyncDispose](),
  }
}

const unheard: BoxWatcher = { started: () => undefined, output: () => undefined }

const nobody: Overseer = {
  decided: () => undefined,
  left: (): ReturnType<Overseer['left']> => ({ tokens: null, costUsd: null }),
  spent: () => undefined,
  exhausted: () => undefined,
  unavailable: () => undefined,
  leaked: () => undefined,
}
