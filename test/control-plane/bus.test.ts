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
  bus.changed(aTask(), 'submitted')
  bus.output(aTaskId, { step: 1, box: 'agent', text: 'one' })
  expect(heard).toEqual([aTaskId, 'one'])
  expect(failures).toEqual([broken, broken])
})

it('what is held is told when it is asked to be, and not at all where it was taken back', () => {
  const bus = new Bus()
  const heard: string[] = []
  bus.subscribe({ changed: (_, type) => heard.push(type) })
  const { result, tell } = bus.held(() => {
    bus.changed(aTask(), 'submitted')
    return 'done'
  })
  bus.changed(aTask(), 'stopped')
  expect([result, heard]).toEqual(['done', ['stopped']])
  tell()
  expect(heard).toEqual(['stopped', 'submitted'])
  const fails = (): never => {
    bus.changed(aTask(), 'approved')
    throw new Error('taken back')
  }
  expect(() => bus.held(fails)).toThrow('taken back')
  bus.changed(aTask(), 'resumed')
  expect(heard).toEqual(['stopped', 'submitted', 'resumed'])
})

it('what is held within what is held is told with that', () => {
  const bus = new Bus()
  const heard: string[] = []
  bus.subscribe({ changed: (_, type) => heard.push(type) })
  const { tell } = bus.held(() => {
    bus.changed(aTask(), 'submitted')
    const inner = bus.held(() => bus.changed(aTask(), 'approved'))
    inner.tell()
    expect(heard).toEqual([])
  })
  tell()
  expect(heard).toEqual(['submitted', 'approved'])
})
