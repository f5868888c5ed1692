import { expect, it } from 'vitest'
import { idNow, idUnder, keyDays, submissionOf } from '../../../control-plane/gate/submissions.ts'
import { parseTaskId } from '../../../src/domain/ids.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import type { Task } from '../../../src/domain/task.ts'
import { aPerson, aTask, aTime } from '../../support/task.ts'

const request = { goal: 'Mend it', repository: '/r' }

it('a key is one task of one actor', () => {
  const id = idUnder('key', aPerson)
  expect(parseTaskId(id)).toBe(id)
  expect(idUnder('key', aPerson)).toBe(id)
  expect(idUnder('kez', aPerson)).not.toBe(id)
  expect(idUnder('key', { ...aPerson, id: 'grace' })).not.toBe(id)
})

it('a key names one submission for seven days, and then the next one', () => {
  const life = keyDays * 24 * 60 * 60 * 1000
  const tasks = new Map<TaskId, Task>()
  const store = { task: (id: TaskId) => tasks.get(id) ?? null }
  /** The id that is named at this time, where a task is made if there is none. */
  const submitted = (after: number): TaskId => {
    const id = idNow(store, 'key', aPerson, aTime + after)
    if (!tasks.has(id)) tasks.set(id, aTask({ id, createdAt: aTime + after }))
    return id
  }
  const [first, soon, last, next, again] = [0, 1, life - 1, life, 2 * life - 1].map(submitted)
  expect([soon, last]).toEqual([first, first])
  expect(next).not.toBe(first)
  expect(again).toBe(next)
  expect([submitted(2 * life), submitted(2 * life)]).not.toContain(next)
  expect(tasks.size).toBe(3)
})

it('the same request has the same hash, however it is written', () => {
  const hash = (input: object): string => submissionOf(taskRequestSchema.parse(input), []).requestHash
  expect(hash({ repository: '/r', goal: ' Mend it ' })).toBe(hash(request))
  expect(hash({ ...request, test: undefined })).toBe(hash(request))
  expect(hash({ ...request, test: null })).not.toBe(hash(request))
  expect(hash({ ...request, goal: 'Mend that' })).not.toBe(hash(request))
})
