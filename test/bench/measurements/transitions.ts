import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { attestor } from '../../../control-plane/attest/attestor.ts'
import { keyPlaces, openKey } from '../../../control-plane/attest/key.ts'
import { Bus } from '../../../control-plane/bus.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import { hostPath } from '../../../src/config/places.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { defaultPolicy } from '../../../src/domain/policies.ts'
import { aBudget, aTask, aTaskIdOf } from '../../support/task.ts'
import { type HandWritten, handWritten } from '../hand-written.ts'
import type { Measurement } from '../measurement.ts'
import { type Report, reportsOf } from '../reports.ts'
import { mean, median, percentile } from '../statistics.ts'

const tasksAtOnce = 40
/** Rounds that are not counted: a control plane runs for days, and its code and its log are warm by then. */
const warmUp = 10

/**
 * What the loop writes, through the transition table into a store on the disk, attested, against three statements by hand.
 */
export const transitions: Measurement = {
  names: ['transitions_per_second', 'transition_p99'],
  rounds: 20,
  async run(lab, rounds) {
    const folder = lab.fresh('transitions')
    using store = openStore(hostPath(join(folder, 'cofferdam.db')))
    using floor = handWritten(join(folder, 'floor.db'))
    const key = openKey(keyPlaces(hostPath(folder), null), () => [])
    const attests = attestor({ store, key: () => key, installation: 'bench' })
    const tasks = new Tasks({ store, bus: new Bus(), clock: Date.now, attestor: attests })
    const ids = Array.from({ length: tasksAtOnce }, (_, index) => aTaskIdOf(index))
    for (const id of ids) {
      tasks.birth(
        aTask({ id, policy: defaultPolicy, budget: aBudget({ steps: warmUp + rounds + 1, seconds: 1200 }) }),
        'Born.',
      )
      tasks.report(id, 0, { type: 'claimed', leaseUntil: Date.now() + 30_000 })
      tasks.report(id, 1, { type: 'advanced', phase: 'agent', text: 'Ready.' })
    }
    const ours: number[][] = []
    const floors: number[][] = []
    for (let step = 1; step <= warmUp + rounds; step += 1) {
      const measured = ids.map((id) => {
        // One after the other on the same task, so that what else goes on meets both.
        const reports = reportsOf(id, step)
        return { ours: timesOf(tasks, id, reports), floor: timesOfFloor(floor, id, reports) }
      })
      ours.push(measured.flatMap((times) => times.ours))
      floors.push(measured.flatMap((times) => times.floor))
      await setImmediate()
    }
    const all = ours.slice(warmUp).flat()
    const allFloors = floors.slice(warmUp).flat()
    return {
      measured: [
        {
          name: 'transitions_per_second',
          value: median(ours.slice(warmUp).map((times) => 1000 / mean(times))),
          unit: '/s',
          floor: median(floors.slice(warmUp).map((times) => 1000 / mean(times))),
          reach: { of: 'value', limit: 'least', than: 2000 },
        },
        {
          name: 'transition_p99',
          value: percentile(all, 0.99),
          unit: 'ms',
          floor: percentile(allFloors, 0.99),
          reach: { of: 'value', limit: 'most', than: 5 },
        },
      ],
      notes: [
        `a transition: ${percentile(all, 0.5).toFixed(3)} ms in the middle of ${all.length}, ${percentile(allFloors, 0.5).toFixed(3)} by hand; the longest ${Math.max(...all).toFixed(1)} against ${Math.max(...allFloors).toFixed(1)}`,
      ],
    }
  },
}

function timesOf(tasks: Tasks, id: TaskId, reports: readonly Report[]): readonly number[] {
  return reports.map(({ input, along }) =>
    timeOf(() => {
      const done = tasks.report(id, 1, input, along)
      if (done.kind === 'refused') throw new Error(done.text)
    }),
  )
}

function timesOfFloor(floor: HandWritten, id: TaskId, reports: readonly Report[]): readonly number[] {
  return reports.map((report) => timeOf(() => floor.write(id, report)))
}

function timeOf(act: () => void): number {
  const begun = performance.now()
  act()
  return performance.now() - begun
}
