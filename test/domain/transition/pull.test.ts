import { describe, expect, it } from 'vitest'
import type { Input } from '../../../src/domain/input.ts'
import { isAtRest, type Task } from '../../../src/domain/task.ts'
import type { Pull } from '../../../src/domain/delivery/pull.ts'
import { possibleActs, transition } from '../../../src/domain/transition/apply.ts'
import { aCommit, aMerge, aPull, aTask } from '../../support/task.ts'

const now = 9
const to = {
  forge: 'github',
  project: 'ada/tools',
  remote: 'https://forge.test/ada/tools',
  into: 'main',
  draft: true,
  at: 5,
} as const
const decided: Input = { type: 'pull_decided', to, accepted: ['ci'] }
const under = { delivery: 'delivering', phase: 'push', pull: aPull() } as const
const open = { delivery: 'pr_open', pull: aPull({ pushed: aCommit, number: 7 }) } as const
const begun = { ...to, pushed: null, number: null, url: null, said: null, refusal: null }

describe('the pull request of an applied task', () => {
  it.each<[Partial<Task>, Input, Task['delivery'], Task['phase'], Partial<Pull>]>([
    [{}, decided, 'delivering', 'push', begun],
    [{ delivery: 'undone' }, decided, 'delivering', 'push', begun],
    [{ delivery: 'conflict', merge: aMerge() }, decided, 'delivering', 'push', begun],
    // What was pushed to the same place is there still.
    [{ ...open, delivery: 'pr_closed' }, decided, 'delivering', 'push', { ...begun, pushed: aCommit }],
    [
      { delivery: 'none', pull: aPull({ pushed: aCommit, remote: 'https://other.test/x' }) },
      decided,
      'delivering',
      'push',
      begun,
    ],
    [
      under,
      { type: 'pull_pushed', text: '', pushed: aCommit },
      'delivering',
      'pull_open',
      { pushed: aCommit },
    ],
    [
      { ...under, phase: 'pull_open' },
      { type: 'pull_opened', text: 'Open.', number: 7, url: 'https://x' },
      'pr_open',
      null,
      { number: 7, url: 'https://x', said: 'Open.' },
    ],
    [
      under,
      { type: 'pull_refused', why: 'foreign', text: 'No.' },
      'none',
      null,
      { said: 'No.', refusal: 'foreign' },
    ],
    [
      open,
      { type: 'pull_looked', text: 'No.', unfollowed: 'Away.' },
      'pr_open',
      null,
      { unfollowed: 'Away.' },
    ],
    [open, { type: 'pull_merged', text: 'In.' }, 'pr_merged', null, { said: 'In.', number: 7 }],
    [open, { type: 'pull_closed', text: 'Out.' }, 'pr_closed', null, { said: 'Out.', number: 7 }],
    [
      { ...open, delivery: 'pr_closed' },
      { type: 'pull_merged', text: 'In, after all.' },
      'pr_merged',
      null,
      { said: 'In, after all.', number: 7 },
    ],
  ])('%j, on %j, is %s (%s)', (overrides, input, delivery, phase, pull) => {
    const before = aTask({ status: 'APPLIED', ...overrides })
    const result = transition(before, input, now)
    if (result.kind === 'refused') throw new Error(result.text)
    const { task } = result
    // Whoever was shown the work where it was delivered before has not decided on this.
    const revision = delivery === before.delivery ? 1 : 2
    expect([task.status, task.delivery, task.phase, task.revision]).toEqual([
      'APPLIED',
      delivery,
      phase,
      revision,
    ])
    expect(task.pull).toMatchObject(pull)
    expect(task.merge).toEqual(before.merge)
    expect(isAtRest(task)).toBe(phase === null)
  })

  it.each<[Partial<Task>, Input]>([
    [{ status: 'BLOCKED' }, decided],
    [{ kind: 'question' }, decided],
    [under, decided],
    [under, { type: 'discarded' }],
    [{ delivery: 'merged', merge: aMerge() }, decided],
    [{ delivery: 'pr_merged' }, decided],
    [{ delivery: 'superseded' }, decided],
    [{ delivery: 'discarded' }, decided],
    [open, decided],
    [open, { type: 'merge_decided', into: 'main', how: 'merge', at: 1, accepted: [] }],
    // What comes late.
    [
      { ...open, delivery: 'pr_merged' },
      { type: 'pull_closed', text: '' },
    ],
    [
      { ...open, delivery: 'pr_closed' },
      { type: 'pull_closed', text: '' },
    ],
    [
      { ...open, delivery: 'discarded' },
      { type: 'pull_merged', text: '' },
    ],
    [open, { type: 'pull_opened', text: '', number: 1, url: null }],
  ])('%j: %j is refused', (overrides, input) => {
    expect(transition(aTask({ status: 'APPLIED', ...overrides }), input, now).kind).toBe('refused')
  })

  it('says where it is, and what is possible', () => {
    const result = transition(aTask({ status: 'APPLIED', ...open }), decided, now)
    expect(result).toMatchObject({
      text: expect.stringContaining('is proposed as #7 of ada/tools: pull-request is not possible.'),
    })
    expect(possibleActs(aTask({ status: 'APPLIED', ...open }))).toEqual(['pull-ended', 'discard'])
    expect(possibleActs(aTask({ status: 'APPLIED', ...open, delivery: 'pr_closed' }))).toEqual([
      'merge',
      'pull-request',
      'pull-ended',
      'discard',
    ])
  })
})
