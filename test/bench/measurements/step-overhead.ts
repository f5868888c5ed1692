import type { Measurement } from '../measurement.ts'
import { expectHalt, halted, openPlane, premises, request } from '../plane.ts'
import { rawBoxes, total, type RawBoxes } from '../raw-box.ts'
import { smallRepository } from '../repositories.ts'
import { median } from '../statistics.ts'
import { partsText, stepsOf, type StepTime } from '../steps.ts'

/** Changes nothing, so that the breaker ends its task after three steps: two are measured from end to end. */
const agent = 'echo TASK_STATE: CONTINUE'

/** A step with a no-op agent and no test, against create + start + wait + remove of the same box. */
export const stepOverhead: Measurement = {
  names: ['step_overhead'],
  rounds: 12,
  async run(lab, rounds) {
    const repository = smallRepository(lab)
    await using plane = await openPlane(lab, premises(lab, 'step', 1))
    const steps: StepTime[] = []
    const floors: ReadonlyMap<string, number>[] = []
    let raw: RawBoxes | null = null
    // The first round makes the mirror and warms everything: it is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      const { task } = await plane.client.submit(request(repository, agent))
      expectHalt(await halted(plane.client, task.id), 'stuck')
      const timed = stepsOf(await plane.client.events(task.id, 0))
      const spec = (await plane.client.checkpoints(task.id)).at(-1)?.box ?? null
      if (spec === null) throw new Error('a step has no box on record')
      raw ??= await rawBoxes(lab, spec)
      for (const step of timed) {
        const floor = await raw.run()
        if (round === 0) continue
        steps.push(step)
        floors.push(floor)
      }
    }
    return {
      measured: [
        {
          name: 'step_overhead',
          value: median(steps.map(({ ms }) => ms)),
          unit: 'ms',
          floor: median(floors.map(total)),
          reach: { of: 'ratio', limit: 'most', than: 1.25 },
        },
      ],
      notes: [
        `a step: ${partsText(steps.map(({ parts }) => parts))} (means of ${steps.length})`,
        `its floor: ${partsText(floors)}`,
      ],
    }
  },
}
