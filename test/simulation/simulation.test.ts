import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tell } from './history.ts'
import { Stage } from './stage.ts'

// COFFERDAM_SEED=18 COFFERDAM_HISTORIES=1 tells one again, with all that happened in it.
const first = Number(process.env['COFFERDAM_SEED'] ?? 1)
const count = Number(process.env['COFFERDAM_HISTORIES'] ?? 2000)

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage[Symbol.dispose]())

describe('a simulation', () => {
  it(
    `tells ${count} histories from seed ${first}, in which every invariant holds`,
    { timeout: 1_200_000 },
    async () => {
      const begun = performance.now()
      let [writes, tasks] = [0, 0]
      for (let seed = first; seed < first + count; seed += 1) {
        const told = await tell(stage, seed)
        const again = `COFFERDAM_SEED=${seed} COFFERDAM_HISTORIES=1 tells it again:`
        expect(told.wrong, `${again}\n${told.lines.join('\n')}`).toEqual([])
        writes += told.writes
        tasks += told.tasks
      }
      const seconds = Math.round((performance.now() - begun) / 1000)
      console.log(`seeds ${first} to ${first + count - 1}: ${tasks} tasks, ${writes} writes in ${seconds} s`)
    },
  )

  it('tells the same history for the same seed, to the last row', async () => {
    const [one, two, other] = [await tell(stage, 7), await tell(stage, 7), await tell(stage, 8)]
    expect(two).toEqual(one)
    expect(other.digest).not.toBe(one.digest)
  })
})
