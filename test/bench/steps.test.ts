import { expect, it } from 'vitest'
import type { TaskEvent } from '../../src/domain/task.ts'
import { aPerson, aTaskId } from '../support/task.ts'
import { partsText, stepsOf } from './steps.ts'

/** Events by type and time. */
function events(...all: readonly (readonly [type: string, at: number])[]): readonly TaskEvent[] {
  return all.map(([type, at], index) => ({
    taskId: aTaskId,
    seq: index + 1,
    at,
    type,
    actor: aPerson,
    from: 'RUNNING',
    to: 'RUNNING',
    step: 1,
    attempt: 1,
    fence: 1,
    text: '',
    data: {},
  }))
}

const first = [
  ['submitted', 0],
  ['claimed', 1],
  ['begun', 900],
  ['checkpointed', 1000],
] as const

const second = [
  ['begun', 1010],
  ['agent_finished', 1110],
  ['advanced', 1130],
  ['candidate_made', 1135],
  ['tested', 1136],
  ['checkpointed', 1140],
] as const

it('a step is measured from checkpoint to checkpoint, and its parts add up', () => {
  const [step, ...more] = stepsOf(events(...first, ...second))
  expect(more).toEqual([])
  expect(step?.ms).toBe(140)
  expect([...(step?.parts ?? [])]).toEqual([
    ['lay out and plan', 10],
    ['box', 100],
    ['remove and verify', 20],
    ['candidate', 5],
    ['test', 1],
    ['checkpoint', 4],
  ])
})

it('a test box of its own adds to the same part', () => {
  const tested = [...second.slice(0, 4), ['begun', 1140], ['tested', 1240], ['checkpointed', 1250]] as const
  const [step] = stepsOf(events(...first, ...tested))
  expect(step?.parts.get('lay out and plan')).toBe(15)
  expect(step?.parts.get('test')).toBe(100)
})

it('the first step and one that was interrupted are left out', () => {
  expect(stepsOf(events(...first))).toEqual([])
  expect(stepsOf(events(...first, ['requeued', 1005], ['claimed', 1006], ...second))).toEqual([])
})

it('where the time goes is told as means', () => {
  const parts = [new Map([['box', 100]]), new Map(Object.entries({ box: 110, candidate: 5 }))]
  expect(partsText(parts)).toBe('box 105.0, candidate 2.5; together 107.5 ms')
})
