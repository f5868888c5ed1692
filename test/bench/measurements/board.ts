import { loadConfig } from '../../../src/config/load.ts'
import { thisProcess } from '../../../src/config/environment.ts'
import { type Load, load } from '../load.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { premises } from '../plane.ts'
import { populate } from '../populated.ts'
import { serve } from '../served.ts'
import { median } from '../statistics.ts'

const [many, few] = [10_000, 50]
/** So often in a round, ours and the floor in turn. */
const times = 50

/** What the dashboard asks for when its board is opened: src/dashboard/board.tsx. */
const asked = [
  '/v1/counts',
  ...[
    'needs_person=true',
    ...['RUNNING,VALIDATING', 'PENDING', 'APPLIED', 'DRAFT,BLOCKED,FAILED,TIMEOUT,STOPPED,REJECTED'].map(
      (statuses) => `needs_person=false&status=${encodeURIComponent(statuses)}`,
    ),
  ].map((list) => `/v1/tasks?${list}&limit=20`),
]

/** The board of 10,000 tasks, against the one of 50: how many there are must not be felt. */
export const board: Measurement = {
  names: ['board_10k'],
  rounds: 5,
  async run(lab, rounds) {
    await using ours = await boardOf(lab, many)
    await using floor = await boardOf(lab, few)
    const took = { ours: [] as number[], floor: [] as number[] }
    for (let round = 0; round <= rounds; round += 1) {
      for (let time = 0; time < times; time += 1) {
        const [one, other] = [await opened(ours), await opened(floor)]
        // The first round warms everything up.
        if (round === 0) continue
        took.ours.push(one)
        took.floor.push(other)
      }
    }
    return {
      measured: [
        {
          name: 'board_10k',
          value: median(took.ours),
          unit: 'ms',
          floor: median(took.floor),
          reach: { of: 'ratio', limit: 'most', than: 2 },
        },
      ],
      notes: [
        `the counts and the first 20 of each of five lists, at once, as a browser asks for them: ${many} tasks against ${few}, which fill fewer lists`,
      ],
    }
  },
}

async function boardOf(lab: Lab, count: number): Promise<Load> {
  const place = premises(lab, `board-${count}`, 1)
  await populate(lab, place, count)
  const served = await serve(lab, place)
  const asking = load(loadConfig(place, thisProcess()).controlSocket, asked.length)
  return {
    ...asking,
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

async function opened(on: Load): Promise<number> {
  const begun = performance.now()
  await Promise.all(asked.map((path) => on.get(path)))
  return performance.now() - begun
}
