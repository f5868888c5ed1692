import { expect, it } from 'vitest'
import { Turns } from '../../src/discord/turns.ts'
import { deferred } from '../../src/domain/deferred.ts'

it('what is about one thing waits for what was begun before it, also where that fails; nothing else does', async () => {
  const turns = new Turns()
  const done: string[] = []
  const first = deferred<string>()
  const one = turns.take('a', () => first.promise)
  const two = turns.take('a', () => Promise.resolve(done.push('two')))
  await turns.take('b', () => Promise.resolve(done.push('other')))
  expect(done).toEqual(['other'])
  first.reject(new Error('no'))
  await expect(one).rejects.toThrow('no')
  await two
  await turns.take('a', () => Promise.resolve(done.push('three')))
  expect(done).toEqual(['other', 'two', 'three'])
})
