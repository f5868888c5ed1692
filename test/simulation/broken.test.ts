import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { broken } from './broken.ts'
import { tell } from './history.ts'
import { Stage } from './stage.ts'

/** What is broken has to be found within so many histories. */
const most = 400

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage[Symbol.dispose]())

describe('a simulation of what is broken on purpose', () => {
  it.each(Object.entries(broken))(
    'finds that %s does not hold',
    { timeout: 120_000 },
    async (name, variant) => {
      for (let seed = 1; seed <= most; seed += 1) {
        const { wrong } = await tell(stage, seed, variant)
        if (wrong.some((each) => each.startsWith(`${name}: `))) return
      }
      expect.fail(`${name} was not found in ${most} histories`)
    },
  )
})
