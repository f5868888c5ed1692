import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tell } from './history.ts'
import { Stage } from './stage.ts'

// COFFERDAM_SEED=18 COFFERDAM_HISTORIES=1 tells one again, with all that happened in it.
const first = Number(process.env['COFFERDAM_SEED'] ?? 1)
const count = Number(process.env['COFFERDAM_HISTORIES'] ?? 250)

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage[Symbol.dispose]())

describe('a simulation', () => {
  it(
    `tells ${count} histories from seed ${first}, in which every invariant holds`,
    { timeout: 600_000 },
    async () => {
      expect(await firstWrong(first, count)).toBeNull()
    },
  )

  it('tells twenty times as many', { tags: ['long'], timeout: 3_600_000 }, async () => {
    expect(await firstWrong(first + count, 19 * count)).toBeNull()
  })

  it('tells the same history for the same seed, to the last row', async () => {
    const [one, two, other] = [await tell(stage, 7), await tell(stage, 7), await tell(stage, 8)]
    expect(two).toEqual(one)
    expect(other.digest).not.toBe(one.digest)
  })
})

/** Tells so many histories; the first in which something is wrong, with how it is told again, or null. */
async function firstWrong(from: number, many: number): Promise<string | null> {
  const begun = performance.now()
  let [writes, tasks] = [0, 0]
  for (let seed = from; seed < from + many; seed += 1) {
    const told = await tell(stage, seed)
    if (told.wrong.length > 0) {
      const again = `COFFERDAM_SEED=${seed} COFFERDAM_HISTORIES=1 tells it again:`
      return [...told.wrong, again, ...told.lines].join('\n')
    }
    writes += told.writes
    tasks += told.tasks
  }
  const seconds = Math.round((performance.now() - begun) / 1000)
  console.log(`seeds ${from} to ${from + many - 1}: ${tasks} tasks, ${writes} writes in ${seconds} s`)
  return null
}
