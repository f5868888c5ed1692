import { expect, it } from 'vitest'
import { remembered } from '../../src/domain/remembered.ts'

function counting(failing: readonly number[] = []) {
  let asked = 0
  const ask = async (): Promise<number> => {
    asked += 1
    const count = asked
    await Promise.resolve()
    if (failing.includes(count)) throw new Error(`no answer ${count}`)
    return count
  }
  return { ask, asked: () => asked }
}

it('asks once, whoever waits for the answer at the same time', async () => {
  const { ask, asked } = counting()
  const answer = remembered(ask)
  expect(asked()).toBe(0)
  expect(await Promise.all([answer(), answer()])).toEqual([1, 1])
  expect(await answer()).toBe(1)
})

it('asks again after a failure, which all that waited hear of', async () => {
  const answer = remembered(counting([1]).ask)
  const both = await Promise.allSettled([answer(), answer()])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect([await answer(), await answer()]).toEqual([2, 2])
})

it('asks again for what is old, and a late failure of before takes nothing away', async () => {
  let isOld = true
  const answer = remembered(counting([1]).ask, () => isOld)
  const first = answer()
  const second = answer()
  isOld = false
  await expect(first).rejects.toThrow('no answer 1')
  expect([await second, await answer()]).toEqual([2, 2])
})
