import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { type BenchPlane, expectHalt, halted, openPlane, premises, request } from '../plane.ts'
import { type RawBoxes, rawBoxes } from '../raw-box.ts'
import { smallRepository } from '../repositories.ts'
import { median } from '../statistics.ts'

/** Twenty processes that do not end when asked to. */
const agent = `trap '' TERM; for n in $(seq 20); do sleep 300 & done; wait; sleep 300`

/** From the act to the moment when the engine has no such box any more; the longest of all rounds. */
export const stopLatency: Measurement = {
  names: ['stop_latency'],
  rounds: 10,
  async run(lab, rounds) {
    const repository = smallRepository(lab)
    await using plane = await openPlane(lab, premises(lab, 'stop', 1))
    const ours: number[] = []
    const floors: number[] = []
    let raw: RawBoxes | null = null
    for (let round = 0; round < rounds; round += 1) {
      const { task } = await plane.client.submit(request(repository, agent))
      const box = await runningBox(lab, plane, task.id)
      raw ??= await rawBoxes(lab, box.spec)
      ours.push(await untilGone(lab, box.id, () => plane.client.act(task.id, { act: 'stop', text: null })))
      expectHalt(await halted(plane.client, task.id), 'stopped')

      const { id } = await raw.start()
      await sleep(settleMs)
      floors.push(await untilGone(lab, id, () => lab.api.docker.getContainer(id).remove({ force: true })))
    }
    return {
      measured: [
        {
          name: 'stop_latency',
          value: Math.max(...ours),
          unit: 'ms',
          floor: Math.max(...floors),
          reach: { of: 'value', limit: 'most', than: 500 },
        },
      ],
      notes: [
        `the longest of ${ours.length}; in the middle ${median(ours).toFixed(0)}, against ${median(floors).toFixed(0)} for a forced removal of the same box`,
      ],
    }
  },
}

/** For all processes of a box to be there. */
const settleMs = 500

async function runningBox(lab: Lab, { client }: BenchPlane, id: TaskId) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const spec = (await client.checkpoints(id)).at(-1)?.box ?? null
    const seen = await lab.api.docker.listContainers({ filters: { label: [`cofferdam.task=${id}`] } })
    const found = seen[0]?.Id
    if (spec === null || found === undefined) continue
    await sleep(settleMs)
    return { id: found, spec }
  }
  throw new Error(`no box of ${id} came up`)
}

async function untilGone(lab: Lab, id: string, end: () => Promise<unknown>): Promise<number> {
  const gone = lab.api.docker.getContainer(id).wait({ condition: 'removed' })
  // So that the engine has taken note of the wait.
  await sleep(50)
  const begun = performance.now()
  await Promise.all([gone, end()])
  return performance.now() - begun
}
