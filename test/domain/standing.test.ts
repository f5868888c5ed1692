import { describe, expect, it } from 'vitest'
import { needsPerson, standingOf, workOf } from '../../src/domain/standing.ts'
import { deliveries, type Task } from '../../src/domain/task.ts'
import { aMerge, aPull, aTask } from '../support/task.ts'

const merge = aMerge()
const pull = aPull({ at: merge.at + 1, draft: false })
const applied = (fields: Partial<Task>): Task =>
  aTask({ status: 'APPLIED', outcome: 'tested', merge, ...fields })

describe('a task that is not delivered', () => {
  it.each<[Partial<Task>, string]>([
    [{ status: 'PENDING' }, 'pending'],
    [{ status: 'BLOCKED', halt: { reason: 'no_change', text: '' } }, 'blocked (no change)'],
    [{ status: 'STOPPED', halt: { reason: 'stopped', text: '' } }, 'stopped'],
    [{ status: 'APPLIED', outcome: 'untested' }, 'applied, untested'],
    [{ status: 'APPLIED', kind: 'question' }, 'answered'],
    [{ status: 'STOPPED', halt: { reason: 'stopped', text: '' }, delivery: 'discarded' }, 'discarded'],
  ])('%j is %s', (fields, text) => {
    expect(standingOf(aTask(fields))).toBe(text)
  })
})

describe('a task whose work is delivered', () => {
  it.each<[Partial<Task>, string]>([
    [{ delivery: 'delivering' }, 'being merged into main'],
    [{ delivery: 'delivering', phase: 'undo' }, 'merge into main being undone'],
    [{ delivery: 'delivering', pull }, 'being proposed as a pull request'],
    [{ delivery: 'merged' }, 'merged into main'],
    [{ delivery: 'merged', outcome: 'untested' }, 'merged into main, untested'],
    [{ delivery: 'undone' }, 'applied, merge into main undone'],
    [{ delivery: 'conflict' }, 'applied, conflicts with main'],
    [{ delivery: 'conflict', outcome: 'untested' }, 'applied, untested, conflicts with main'],
    [{ delivery: 'rejected' }, 'applied, fails its test on main'],
    [{ merge: aMerge({ refusal: 'foreign' }) }, 'applied, not merged into main'],
    [{ merge: null, pull: aPull({ refusal: 'other' }) }, 'applied, not proposed for main'],
    [{ delivery: 'pr_open', pull }, 'pull request open'],
    [{ delivery: 'pr_open', pull: { ...pull, draft: true } }, 'draft of a pull request open'],
    [{ delivery: 'pr_merged', pull }, 'pull request merged'],
    [{ delivery: 'pr_closed', pull }, 'applied, pull request closed'],
    [{ delivery: 'superseded' }, 'applied, superseded by another task'],
    [{ delivery: 'discarded' }, 'discarded'],
  ])('%j is %s', (fields, text) => {
    expect(standingOf(applied(fields))).toBe(text)
  })

  it('has words for what has become of it, and none where nothing has', () => {
    expect(deliveries.filter((delivery) => workOf(applied({ delivery })) === null)).toEqual(['none'])
  })

  it('names no branch where that is not known, and spells its state as it is told to', () => {
    const found = { kind: 'change', status: 'APPLIED', delivery: 'conflict' } as const
    expect(standingOf(found, (status) => status)).toBe('APPLIED, conflicts with its branch')
  })
})

it.each<[Partial<Task>, boolean]>([
  [{ status: 'DRAFT' }, true],
  [{ status: 'BLOCKED' }, true],
  [{ status: 'FAILED' }, true],
  [{ status: 'FAILED', delivery: 'discarded' }, false],
  [{ status: 'STOPPED' }, false],
  [{ status: 'APPLIED' }, false],
  [{ status: 'APPLIED', delivery: 'conflict' }, true],
  [{ status: 'APPLIED', delivery: 'pr_closed' }, true],
  [{ status: 'APPLIED', merge: aMerge({ refusal: 'other' }) }, true],
  [{ status: 'APPLIED', pull: aPull({ refusal: 'foreign' }) }, true],
  [{ status: 'APPLIED', delivery: 'pr_open', pull: aPull() }, false],
  [{ status: 'APPLIED', delivery: 'pr_open', pull: aPull({ unfollowed: 'Away.' }) }, true],
  [{ status: 'APPLIED', delivery: 'pr_merged', pull: aPull({ unfollowed: 'Away.' }) }, false],
  // Given back by the task that was to change it: nothing was refused.
  [{ status: 'APPLIED', merge: aMerge({ said: 'Undone.' }) }, false],
  [{ status: 'APPLIED', delivery: 'merged', merge: aMerge({ said: 'Not undone.' }) }, false],
])('%j needs a person: %s', (fields, needs) => {
  expect(needsPerson(aTask(fields))).toBe(needs)
})
