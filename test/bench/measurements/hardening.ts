import { join } from 'node:path'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Overseer } from '../../../src/domain/gateway.ts'
import { createGateway } from '../../../src/gateway/gateway.ts'
import { createBody } from '../../../src/sandbox/docker/body.ts'
import { createContainer } from '../../../src/sandbox/docker/calls.ts'
import { channels } from '../../../src/sandbox/docker/channel.ts'
import { installationLabels } from '../../../src/sandbox/docker/labels.ts'
import { locate } from '../../../src/sandbox/docker/locate.ts'
import { placeMounts } from '../../../src/sandbox/docker/place.ts'
import { makePlaceholders, removePlaceholders } from '../../../src/sandbox/docker/placeholders.ts'
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

/**
 * A walled box (its whole spec, 20 masks that need placeholders, its socket with the gateway behind it) against a container
 * of the same image and the same folder with nothing else said but that its network is turned off, as a box's is; each alone
 * with the engine. What `docker run` makes by itself has one, and the engine lays it out even for `--network none`, which
 * takes longer than all walls together: against that, walls would seem to cost less than nothing. It is in the notes.
 */
export const hardening: Measurement = {
  names: ['hardening'],
  rounds: 30,
  async run(lab, rounds) {
    await using boxes = await openBoxes(lab)
    const kinds = {
      walled: () => boxes.walled(),
      bare: () => boxes.bare({ NetworkDisabled: true, HostConfig: { NetworkMode: 'none' } }),
      none: () => boxes.bare({ HostConfig: { NetworkMode: 'none' } }),
      bridged: () => boxes.bare({}),
    }
    const times = {
      walled: [] as Times[],
      bare: [] as Times[],
      none: [] as Times[],
      bridged: [] as Times[],
    }
    // The first round warms everything: it is not counted. In turns, so that a busy moment meets all of them.
    for (let round = 0; round <= rounds; round += 1)
      for (const kind of ['walled', 'bare', 'none', 'bridged'] as const) {
        const taken = await kinds[kind]()
        if (round > 0) times[kind].push(taken)
      }
    return {
      measured: [
        {
          name: 'hardening_against_container_with_network_off',
          value: median(times.walled.map(total)),
          unit: 'ms',
          floor: median(times.bare.map(total)),
          reach: { of: 'ratio', limit: 'most', than: 1.1 },
        },
      ],
      notes: [
        `walled: ${partsText(times.walled)} (means of ${rounds})`,
        `bare, its network turned off: ${partsText(times.bare)}`,
        `bare, on the network "none", which the engine lays out: ${partsText(times.none)}`,
        `bare, on the default bridge as \`docker run\` makes it: ${partsText(times.bridged)}`,
      ],
    }
  },
}

type Times = ReadonlyMap<string, number>

interface Network {
  readonly NetworkDisabled?: true
  readonly HostConfig?: { readonly NetworkMode: string }
}

interface Boxes extends AsyncDisposable {
  walled(): Promise<Times>
  bare(network: Network): Promise<Times>
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
  const folder = lab.fresh('hardening')
  const materials = await testMaterials({ parent: folder, uid: spec.user.uid })
  await materials.write(materials.worktree, smallFiles)
  const own = lab.fresh('boxes')
  const sockets = channels(join(lab.folder, 'r') as HostPath, installation)
  const gateway = createGateway({ upstreams: [], secrets: [], prices: {}, clock: Date.now })
  const locations = await locate(spec, materials, () => sockets.folder(spec.name))
  const mounts = await placeMounts(spec, locations, own, false)
  const body = createBody(spec, mounts, installation, api.host)
  let count = 0

  const through = async (times: Map<string, number>, create: () => Promise<string>): Promise<void> => {
    const container = api.docker.getContainer(await timed(times, 'create', create))
    await timed(times, 'start', () => container.start())
    const { StatusCode } = (await timed(times, 'wait', () => container.wait())) as { StatusCode: number }
    await timed(times, 'remove', () => container.remove())
    if (StatusCode !== 0) throw new Error(`a box ended with code ${StatusCode}`)
  }

  return {
    async walled() {
      const times = new Map<string, number>()
      await timed(times, 'placeholders', () => makePlaceholders(spec, materials.worktree, own))
      const { channel, passage } = await timed(times, 'gateway', async () => {
        const opened = gateway.open(spec, nobody)
        return { passage: opened, channel: await sockets.open(spec, (line) => opened.accept(line)) }
      })
      await through(times, async () => {
        const created = await createContainer(api, spec.name, body)
        if (created === null) throw new Error(`the name ${spec.name} is taken`)
        return created.id
      })
      await timed(times, 'tidy up', async () => {
        await channel[Symbol.asyncDispose]()
        await passage.close()
        await removePlaceholders(own)
      })
      return times
    },
    async bare({ HostConfig, ...network }) {
      count += 1
      const times = new Map<string, number>()
      await through(times, async () => {
        const { id } = await api.docker.createContainer({
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
        })
        return id
      })
      return times
    },
    async [Symbol.asyncDispose]() {
      await sockets.clear(spec.name)
      await materials[Symbol.asyncDispose]()
    },
  }
}

const nobody: Overseer = {
  decided: () => undefined,
  left: (): ReturnType<Overseer['left']> => ({ tokens: null, costUsd: null }),
  spent: () => undefined,
  exhausted: () => undefined,
  leaked: () => undefined,
}
