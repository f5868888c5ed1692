import { describe, expect, it } from 'vitest'
import { pageWriter } from '../../../control-plane/http/task-json.ts'
import { aTask, aTaskIdOf } from '../../support/task.ts'

const tasks = (count: number) => Array.from({ length: count }, (_, index) => aTask({ id: aTaskIdOf(index) }))

describe('a page of tasks', () => {
  it.each([0, 1, 2, 101])('of %i is that in JSON', (count) => {
    const all = tasks(count)
    expect(JSON.parse(Buffer.from(pageWriter()(all, 'x')).toString())).toEqual({ tasks: all, next: 'x' })
  })

  it.each([
    [100, true],
    [101, false],
  ])('of %i is kept for whoever asks again: %s', (count, kept) => {
    const write = pageWriter()
    const all = tasks(count)
    const first = write(all, null)
    expect(write([...all], null) === first).toBe(kept)
    expect(write(all, 'next')).not.toBe(first)
    expect(pageWriter()(all, null)).not.toBe(first)
  })
})
