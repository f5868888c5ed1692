import { expect, it } from 'vitest'
import { looks } from '../../src/domain/looks.ts'

/** A look that lasts until it is let go; each finds its number. */
function lab() {
  let now = 0
  const goOn: (() => void)[] = []
  const begun: string[] = []
  const ask = looks(
    async (of: string) => {
      const number = begun.push(of)
      await new Promise<void>((resolve) => goOn.push(resolve))
      if (of === 'broken') throw new Error('broken')
      return number
    },
    () => now,
  )
  /** Lets the look that goes on end, as soon as there is one. */
  const end = async (): Promise<void> => {
    while (goOn.length === 0) await Promise.resolve()
    goOn.shift()?.()
  }
  return { ask, begun, end, wait: (ms: number) => void (now += ms) }
}

it('one who asks while it goes on is given what that finds, also an owner', async () => {
  const { ask, begun, end } = lab()
  const asked = [ask('all', false), ask('all', true), ask('all', false)]
  await end()
  expect(await Promise.all(asked)).toEqual([1, 1, 1])
  expect(begun).toEqual(['all'])
})

it('what was found does for a minute, but for one who has it looked for anew', async () => {
  const { ask, end, wait } = lab()
  const found = async (isAnew: boolean): Promise<number> => {
    const asked = ask('all', isAnew)
    await end()
    return await asked
  }
  expect(await found(false)).toBe(1)
  wait(59_999)
  expect(await ask('all', false)).toBe(1)
  expect(await found(true)).toBe(2)
  wait(60_000)
  expect(await found(false)).toBe(3)
})

it('a look at something else waits for the one that goes on', async () => {
  const { ask, begun, end } = lab()
  const [first, second] = [ask('all', false), ask('machine', false)]
  await end()
  expect([await first, begun.length]).toEqual([1, 1])
  await end()
  expect([await second, begun]).toEqual([2, ['all', 'machine']])
})

it('what failed is looked for again, and holds up nobody', async () => {
  const { ask, end } = lab()
  const failed = ask('broken', false)
  const other = ask('all', false)
  await end()
  await expect(failed).rejects.toThrow('broken')
  await end()
  expect(await other).toBe(2)
  const again = ask('broken', false)
  await end()
  await expect(again).rejects.toThrow('broken')
})
