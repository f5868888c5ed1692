import { expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { aTask, aTaskId } from '../support/task.ts'

it('tells everybody, also after one that throws, and says what it threw', () => {
  const failures: unknown[] = []
  const bus = new Bus((error) => failures.push(error))
  const heard: string[] = []
  const broken = new Error('the database is busy')
  const throws = (): never => {
    throw broken
  }
  bus.subscribe({ changed: throws, output: throws })
  bus.subscribe({
    changed: ({ id }) => heard.push(id),
    output: (_, { text }) => heard.push(text),
  })
  bus.changed(aTask())
  bus.output(aTaskId, { step: 1, box: 'agent', text: 'one' })
  expect(heard).toEqual([aTaskId, 'one'])
  expect(failures).toEqual([broken, broken])
})
