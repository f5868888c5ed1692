import { describe, expect, it } from 'vitest'
import type { Input } from '../../../src/domain/input.ts'
import type { Merge } from '../../../src/domain/delivery/merge.ts'
import { deliveries, isAtRest, type Status, statuses, type Task } from '../../../src/domain/task.ts'
import { readMarker } from '../../../src/domain/markers.ts'
import { possibleActs, transition } from '../../../src/domain/transition/apply.ts'
import { lossCap } from '../../../src/domain/transition/table.ts'
import type { Violation } from '../../../src/domain/policy.ts'
import {
  aBudget,
  aCommit,
  aCommitOf,
  aMerge,
  aSpent,
  aTask,
  aTaskId,
  aTaskIdOf,
  aTime,
} from '../../support/task.ts'

const now = aTime + 1000
const created: Violation = {
  path: 'new/config.yaml',
  rule: 'config.yaml',
  kind: 'deny',
  what: 'created',
  found: 'file',
}
const checkpointed = (verdict: Extract<Input, { type: 'checkpointed' }>['verdict']): Input => ({
  type: 'checkpointed',
  verdict,
  head: aCommit,
  progress: { signature: 'x', repeats: 1 },
  marks: [],
})

const stopped: Input = { type: 'stopped', text: null }
const resumed: Input = { type: 'resumed', instruction: 'go on', budget: null }
const inStep: Partial<Task> = { phase: 'agent', step: 1, attempt: 1, fence: 1 }
const asking: Partial<Task> = { ...inStep, kind: 'question', phase: 'verify' }
const validating: Partial<Task> = { ...inStep, phase: 'checkpoint', status: 'VALIDATING' }

type Row = [
  from: Status,
  overrides: Partial<Task>,
  input: Input,
  to: Status,
  phase: Task['phase'],
  reason: string | null,
]
const rows: readonly Row[] = [
  ['DRAFT', {}, { type: 'approved' }, 'PENDING', null, null],
  ['DRAFT', {}, { type: 'rejected', text: null }, 'REJECTED', null, 'rejected'],
  ['DRAFT', {}, { type: 'suggested', text: 'smaller', risks: [] }, 'DRAFT', null, null],
  ['PENDING', {}, { type: 'claimed', leaseUntil: 9 }, 'RUNNING', 'prepare', null],
  ['PENDING', { phase: 'salvage' }, { type: 'claimed', leaseUntil: 9 }, 'RUNNING', 'salvage', null],
  ['RUNNING', { phase: 'prepare' }, { type: 'advanced', phase: 'setup', text: '' }, 'RUNNING', 'setup', null],
  [
    'RUNNING',
    { phase: 'prepare' },
    { type: 'advanced', phase: 'test', text: '' },
    'VALIDATING',
    'test',
    null,
  ],
  [
    'RUNNING',
    { phase: 'prepare' },
    { type: 'advanced', phase: 'handover', text: '' },
    'VALIDATING',
    'handover',
    null,
  ],
  ['RUNNING', inStep, { type: 'agent_finished', text: '' }, 'RUNNING', 'verify', null],
  ['RUNNING', inStep, { type: 'candidate_made', text: '' }, 'VALIDATING', 'test', null],
  ['RUNNING', inStep, { type: 'violated', violations: [created] }, 'RUNNING', 'agent', null],
  [
    'RUNNING',
    { ...inStep, violations: 1 },
    { type: 'violated', violations: [created] },
    'FAILED',
    'salvage',
    'policy',
  ],
  [
    'RUNNING',
    inStep,
    { type: 'violated', violations: [{ ...created, what: 'changed' }] },
    'FAILED',
    'salvage',
    'policy',
  ],
  [
    'RUNNING',
    inStep,
    { type: 'violated', violations: [created, { ...created, what: 'mask' }] },
    'FAILED',
    'salvage',
    'policy',
  ],
  [
    'RUNNING',
    { ...inStep, spent: aSpent({ steps: 7, ms: 0 }) },
    { type: 'violated', violations: [created] },
    'TIMEOUT',
    'salvage',
    'steps',
  ],
  [
    'RUNNING',
    asking,
    { type: 'answered', verdict: { kind: 'answer', answer: 'So.' } },
    'APPLIED',
    null,
    null,
  ],
  [
    'RUNNING',
    asking,
    { type: 'answered', verdict: { kind: 'agent_blocked', text: 'Which?' } },
    'BLOCKED',
    null,
    'agent',
  ],
  [
    'RUNNING',
    asking,
    { type: 'answered', verdict: { kind: 'no_answer', text: 'It broke.' } },
    'FAILED',
    null,
    'agent',
  ],
  [
    'RUNNING',
    asking,
    { type: 'answered', verdict: { kind: 'again', text: 'It broke.' } },
    'RUNNING',
    'agent',
    null,
  ],
  [
    'RUNNING',
    asking,
    { type: 'violated', violations: [{ ...created, what: 'mask' }] },
    'FAILED',
    'salvage',
    'policy',
  ],
  ['VALIDATING', inStep, { type: 'tested', text: '', priorFailure: null }, 'VALIDATING', 'checkpoint', null],
  [
    'VALIDATING',
    validating,
    checkpointed({ kind: 'apply', outcome: 'tested' }),
    'VALIDATING',
    'handover',
    null,
  ],
  ['VALIDATING', validating, checkpointed({ kind: 'no_change' }), 'BLOCKED', null, 'no_change'],
  [
    'VALIDATING',
    validating,
    checkpointed({ kind: 'agent_blocked', text: 'no key' }),
    'BLOCKED',
    null,
    'agent',
  ],
  [
    'VALIDATING',
    validating,
    checkpointed({ kind: 'setup_changed', text: 'why' }),
    'BLOCKED',
    null,
    'approval',
  ],
  ['VALIDATING', validating, checkpointed({ kind: 'steps' }), 'TIMEOUT', null, 'steps'],
  ['VALIDATING', validating, checkpointed({ kind: 'stuck' }), 'BLOCKED', null, 'stuck'],
  ['VALIDATING', validating, checkpointed({ kind: 'next' }), 'RUNNING', 'agent', null],
  ['VALIDATING', { phase: 'handover' }, { type: 'handed_over' }, 'APPLIED', null, null],
  ['RUNNING', inStep, { type: 'steered', text: 'rather so' }, 'RUNNING', 'agent', null],
  ['RUNNING', inStep, { type: 'budget_spent', reason: 'time' }, 'TIMEOUT', 'salvage', 'time'],
  [
    'VALIDATING',
    { ...inStep, phase: 'test' },
    { type: 'budget_spent', reason: 'time' },
    'TIMEOUT',
    'salvage',
    'time',
  ],
  [
    'RUNNING',
    { phase: 'setup' },
    { type: 'halted', reason: 'setup', text: 'no npm' },
    'BLOCKED',
    'salvage',
    'setup',
  ],
  ['RUNNING', inStep, { type: 'failed', reason: 'worktree', text: 'x' }, 'FAILED', 'salvage', 'worktree'],
  ['RUNNING', inStep, { type: 'lost', text: 'gone' }, 'RUNNING', 'agent', null],
  ['VALIDATING', { ...inStep, phase: 'test' }, { type: 'lost', text: 'gone' }, 'VALIDATING', 'test', null],
  [
    'RUNNING',
    { ...inStep, losses: lossCap - 1 },
    { type: 'lost', text: 'gone' },
    'FAILED',
    'salvage',
    'engine',
  ],
  ['RUNNING', inStep, { type: 'requeued', text: '', crashed: true }, 'PENDING', null, null],
  ['VALIDATING', inStep, { type: 'requeued', text: '', crashed: true }, 'PENDING', null, null],
  [
    'RUNNING',
    { ...inStep, phase: 'salvage' },
    { type: 'requeued', text: '', crashed: true },
    'PENDING',
    'salvage',
    null,
  ],
  ['DRAFT', {}, stopped, 'STOPPED', null, 'stopped'],
  ['PENDING', {}, stopped, 'STOPPED', null, 'stopped'],
  ['RUNNING', { phase: 'prepare' }, stopped, 'STOPPED', null, 'stopped'],
  ['RUNNING', inStep, stopped, 'STOPPED', 'salvage', 'stopped'],
  ['VALIDATING', inStep, stopped, 'STOPPED', 'salvage', 'stopped'],
  ['PENDING', { attempt: 1 }, stopped, 'STOPPED', 'salvage', 'stopped'],
  ['RUNNING', { phase: 'prepare', attempt: 1 }, stopped, 'STOPPED', 'salvage', 'stopped'],
  ['BLOCKED', {}, stopped, 'STOPPED', null, 'stopped'],
  ['PENDING', {}, { type: 'paused' }, 'BLOCKED', null, 'paused'],
  ['RUNNING', inStep, { type: 'paused' }, 'BLOCKED', 'salvage', 'paused'],
  ['BLOCKED', {}, resumed, 'PENDING', null, null],
  ['TIMEOUT', {}, resumed, 'PENDING', null, null],
  ['FAILED', { phase: 'salvage' }, resumed, 'PENDING', 'salvage', null],
  ['STOPPED', {}, resumed, 'PENDING', null, null],
  ['BLOCKED', {}, { type: 'rejected', text: 'no' }, 'REJECTED', null, 'rejected'],
  ['STOPPED', { phase: 'salvage' }, { type: 'salvaged', head: aCommit, text: '' }, 'STOPPED', null, null],
  [
    'RUNNING',
    { phase: 'salvage' },
    { type: 'salvaged', head: aCommit, text: '' },
    'RUNNING',
    'prepare',
    null,
  ],
  ['APPLIED', {}, { type: 'discarded' }, 'APPLIED', null, null],
  [
    'STOPPED',
    { phase: 'salvage', halt: { reason: 'stopped', text: '' } },
    { type: 'postponed', text: 'Full.' },
    'STOPPED',
    'postponed',
    'stopped',
  ],
  ['RUNNING', { phase: 'salvage' }, { type: 'postponed', text: 'Full.' }, 'BLOCKED', 'postponed', 'disk'],
  ['STOPPED', { phase: 'postponed' }, resumed, 'PENDING', 'postponed', null],
  ['PENDING', { phase: 'postponed' }, { type: 'claimed', leaseUntil: 9 }, 'RUNNING', 'salvage', null],
  ['STOPPED', { phase: 'postponed' }, { type: 'discarded' }, 'STOPPED', null, null],
  ['APPLIED', {}, { type: 'put_away', text: '' }, 'APPLIED', null, null],
  [
    'STOPPED',
    { delivery: 'discarded', halt: { reason: 'stopped', text: '' } },
    { type: 'put_away', text: '' },
    'STOPPED',
    null,
    'stopped',
  ],
]

const refused: readonly [Status, Partial<Task>, Input][] = [
  ['APPLIED', {}, stopped],
  ['APPLIED', {}, resumed],
  ['REJECTED', {}, resumed],
  ['STOPPED', {}, { type: 'agent_finished', text: '' }],
  [
    'STOPPED',
    {},
    {
      type: 'checkpointed',
      verdict: { kind: 'next' },
      head: aCommit,
      progress: { signature: '', repeats: 0 },
      marks: null,
    },
  ],
  ['STOPPED', {}, { type: 'salvaged', head: aCommit, text: '' }],
  ['PENDING', {}, { type: 'approved' }],
  ['RUNNING', {}, { type: 'discarded' }],
  ['APPLIED', { delivery: 'discarded' }, { type: 'discarded' }],
  ['STOPPED', { delivery: 'discarded' }, resumed],
  ['RUNNING', {}, { type: 'claimed', leaseUntil: 9 }],
  ['RUNNING', {}, { type: 'put_away', text: '' }],
  ['PENDING', {}, { type: 'put_away', text: '' }],
]

describe('the transition table', () => {
  it.each(rows)('%s %j on %j goes to %s, phase %s, halt %s', (from, overrides, input, to, phase, reason) => {
    const changed = transition(aTask({ status: from, ...overrides }), input, now)
    expect(changed.kind).toBe('changed')
    if (changed.kind !== 'changed') return
    expect([changed.task.status, changed.task.phase, changed.task.halt?.reason ?? null]).toEqual([
      to,
      phase,
      reason,
    ])
    expect(changed.task.version).toBe(2)
    expect(changed.task.updatedAt).toBe(now)
  })

  it.each(refused)('%s %j refuses %j', (from, overrides, input) => {
    const result = transition(aTask({ status: from, ...overrides }), input, now)
    expect(result.kind).toBe('refused')
    expect(result.text).toContain(overrides.delivery ?? from)
  })

  it('says what is possible instead', () => {
    expect(possibleActs(aTask({ status: 'DRAFT' }))).toEqual(['approve', 'reject', 'suggest', 'stop'])
    expect(possibleActs(aTask({ status: 'RUNNING' }))).toEqual(['steer', 'stop', 'pause'])
    expect(possibleActs(aTask({ status: 'TIMEOUT' }))).toEqual(['resume', 'discard'])
    expect(possibleActs(aTask({ status: 'APPLIED', delivery: 'discarded' }))).toEqual([])
  })
})

describe('what a person asks for in any state', () => {
  const acts: Readonly<Record<string, Input>> = {
    review: { type: 'reviewed', text: 'use let' },
    approve: { type: 'approved' },
    reject: { type: 'rejected', text: null },
    suggest: { type: 'suggested', text: 'smaller', risks: [] },
    steer: { type: 'steered', text: 'use tabs' },
    stop: stopped,
    pause: { type: 'paused' },
    resume: resumed,
    merge: { type: 'merge_decided', into: 'main', how: 'merge', at: 1, accepted: [] },
    'pull-request': {
      type: 'pull_decided',
      to: { forge: 'github', project: 'a/b', remote: '/b.git', into: 'main', draft: true, at: 1 },
      accepted: [],
    },
    undo: { type: 'undo_decided' },
    'pull-ended': { type: 'pull_merged', text: '' },
    discard: { type: 'discarded' },
  }
  const states = [
    ...statuses.map((status): [string, Partial<Task>] => [status, { status }]),
    ...statuses.map((status): [string, Partial<Task>] => [
      `${status} to be salvaged`,
      { status, phase: 'salvage' },
    ]),
    ...statuses.map((status): [string, Partial<Task>] => [
      `${status} with salvage postponed`,
      { status, phase: 'postponed' },
    ]),
    ['discarded', { status: 'STOPPED', delivery: 'discarded' }] as [string, Partial<Task>],
    ...deliveries.map((delivery): [string, Partial<Task>] => [
      `APPLIED, ${delivery}`,
      { status: 'APPLIED', delivery, merge: aMerge({ from: aCommitOf('1'), commit: aCommit }) },
    ]),
  ]
  const pairs = states.flatMap(([state, task]) => Object.keys(acts).map((act) => [state, act, task] as const))
  const tried = (act: string, task: Task): ReturnType<typeof transition> => {
    const input = acts[act]
    if (input === undefined) throw new Error(`the sentence names ${act}, which nobody can do`)
    return transition(task, input, now)
  }

  it.each(pairs)('%s: %s is done, or refused with what is possible instead', (_state, act, overrides) => {
    const task = aTask(overrides)
    const result = tried(act, task)
    if (result.kind === 'changed') return
    const deed = act === 'pull-ended' ? 'to say what became of its pull request' : act
    expect(result.text).toContain(`: ${deed} is not possible`)
    const named = /Possible now: (.+)\.$/.exec(result.text)?.[1]?.split(', ') ?? []
    expect(named).not.toContain(act)
    expect(named.filter((other) => tried(other, task).kind === 'refused')).toEqual([])
    const possible = Object.keys(acts).filter((other) => tried(other, task).kind === 'changed')
    expect(named).toEqual(possible)
    if (named.length === 0)
      expect(result.text).toContain(
        task.delivery === 'delivering'
          ? `\`cofferdam task watch ${task.id}\``
          : 'Nothing more can be done with it.',
      )
  })
})

describe('the delivery of an applied task', () => {
  const decided: Input = { type: 'merge_decided', into: 'main', how: 'squash', at: 5, accepted: ['ci'] }
  const begun = {
    into: 'main',
    how: 'squash',
    accepted: ['ci'],
    at: 5,
    tries: 0,
    from: null,
    commit: null,
    said: null,
    refusal: null,
  } as const
  const [from, commit] = [aCommitOf('1'), aCommitOf('2')]
  const made: Input = { type: 'merge_advanced', phase: 'merge_test', text: 'made', made: { from, commit } }
  const merging = aMerge({ from, commit, tries: 1 })

  it.each<[Partial<Task>, Input, Task['delivery'], Task['phase'], Partial<Merge>]>([
    [{}, decided, 'delivering', 'merge', begun],
    [{ delivery: 'undone' }, decided, 'delivering', 'merge', begun],
    [
      { delivery: 'conflict', merge: { ...merging, refusal: 'conflict' } },
      decided,
      'delivering',
      'merge',
      begun,
    ],
    [{ delivery: 'rejected', merge: merging }, decided, 'delivering', 'merge', begun],
    [{ delivery: 'delivering', merge: aMerge() }, made, 'delivering', 'merge_test', { from, commit }],
    [
      { delivery: 'delivering', phase: 'merge_test', merge: merging },
      { type: 'merge_begun', text: '' },
      'delivering',
      'merge_test',
      merging,
    ],
    [
      { delivery: 'delivering', phase: 'merge_test', merge: merging },
      { type: 'merge_advanced', phase: 'merge_move', text: '' },
      'delivering',
      'merge_move',
      { from, commit },
    ],
    [
      { delivery: 'delivering', phase: 'merge_move', merge: merging },
      { type: 'merge_overtaken', text: '' },
      'delivering',
      'merge',
      { from: null, commit: null, tries: 2 },
    ],
    [
      { delivery: 'delivering', phase: 'merge_move', merge: merging },
      { type: 'merged', text: 'Merged.' },
      'merged',
      null,
      { from, commit, said: 'Merged.' },
    ],
    [
      { delivery: 'delivering', phase: 'merge', merge: aMerge() },
      { type: 'merged', text: 'There already.', at: from },
      'merged',
      null,
      { from, commit: from, said: 'There already.' },
    ],
    [
      { delivery: 'delivering', phase: 'merge', merge: aMerge() },
      { type: 'merge_refused', why: 'conflict', text: 'Both.' },
      'conflict',
      null,
      { said: 'Both.', refusal: 'conflict' },
    ],
    ...(
      [
        ['foreign', 'none'],
        ['diverged', 'conflict'],
        ['setup', 'rejected'],
        ['test', 'rejected'],
        ['other', 'none'],
      ] as const
    ).map(([why, delivery]): [Partial<Task>, Input, Task['delivery'], null, Partial<Merge>] => [
      { delivery: 'delivering', phase: 'merge', merge: aMerge() },
      { type: 'merge_refused', why, text: 'No.' },
      delivery,
      null,
      { said: 'No.', refusal: why },
    ]),
    [
      { delivery: 'merged', merge: merging },
      { type: 'undo_decided' },
      'delivering',
      'undo',
      { from, commit, said: null },
    ],
    [
      { delivery: 'delivering', phase: 'undo', merge: merging },
      { type: 'undone', text: 'Back.' },
      'undone',
      null,
      { said: 'Back.' },
    ],
    [
      { delivery: 'delivering', phase: 'undo', merge: merging },
      { type: 'undo_refused', text: 'Moved.' },
      'merged',
      null,
      { said: 'Moved.' },
    ],
  ])('%j, on %j, is %s (%s)', (overrides, input, delivery, phase, merge) => {
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
    expect(task.merge).toMatchObject(merge)
    expect(isAtRest(task)).toBe(phase === null)
  })

  it.each<[Partial<Task>, Input]>([
    [{ status: 'BLOCKED' }, decided],
    [{ delivery: 'delivering', merge: merging }, decided],
    [{ delivery: 'merged', merge: merging }, decided],
    [{ delivery: 'discarded' }, decided],
    [{ delivery: 'superseded' }, decided],
    [{ delivery: 'delivering', merge: merging }, { type: 'discarded' }],
    [{}, { type: 'undo_decided' }],
    // It had been there before.
    [{ delivery: 'merged', merge: aMerge({ from, commit: from }) }, { type: 'undo_decided' }],
    [
      { delivery: 'merged', merge: merging },
      { type: 'reviewed', text: 'x' },
    ],
    // What comes late.
    [
      { delivery: 'merged', merge: merging },
      { type: 'merged', text: '' },
    ],
    [{ delivery: 'undone', merge: merging }, made],
    [
      { delivery: 'merged', merge: merging },
      { type: 'superseded', by: aTaskId },
    ],
  ])('%j: %j is refused', (overrides, input) => {
    expect(transition(aTask({ status: 'APPLIED', ...overrides }), input, now).kind).toBe('refused')
  })

  it('may be changed by another task, once, until it is delivered', () => {
    const first = transition(aTask({ status: 'APPLIED' }), { type: 'reviewed', text: 'use let' }, now)
    expect(first).toMatchObject({ text: 'Reviewed: use let', task: { delivery: 'none', revision: 1 } })
    const next = transition(aTask({ status: 'APPLIED' }), { type: 'superseded', by: aTaskIdOf(2) }, now)
    if (next.kind === 'refused') throw new Error(next.text)
    expect([next.task.delivery, next.task.phase, possibleActs(next.task)]).toEqual([
      'superseded',
      null,
      ['discard'],
    ])
    const again = transition(next.task, { type: 'superseded', by: aTaskIdOf(3) }, now)
    expect(again.text).toContain('superseded by another task: request changes is not possible')
    const back = transition(next.task, { type: 'given_back', by: aTaskIdOf(2) }, now)
    if (back.kind === 'refused') throw new Error(back.text)
    expect([back.task.delivery, back.task.revision]).toEqual(['none', 3])
    expect(possibleActs(back.task)).toEqual(['merge', 'pull-request', 'discard'])
    expect(transition(back.task, { type: 'given_back', by: aTaskIdOf(2) }, now).kind).toBe('refused')
  })

  it('says what a merge was decided with', () => {
    const result = transition(aTask({ status: 'APPLIED' }), decided, now)
    expect(result.text).toBe('To be merged into main, as one commit. Accepted with it: ci.')
  })
})

describe('why a task is halted, and what to do next', () => {
  const blocked = (marker: string): Input => {
    const read = readMarker(`TASK_STATE: BLOCKED\n${marker}`, '')
    return checkpointed({ kind: 'agent_blocked', text: read.state === 'BLOCKED' ? read.blockReason : '' })
  }
  const stuck = checkpointed({ kind: 'stuck' })
  const violated: Input = {
    type: 'violated',
    violations: [created, { ...created, path: 'a', rule: 'a*', what: 'changed' }],
  }
  const running: Partial<Task> = { status: 'RUNNING', ...inStep }
  const spent = (steps: number, seconds: number, reason: 'steps' | 'time'): [Partial<Task>, Input] => [
    { ...running, budget: aBudget({ steps, seconds }) },
    { type: 'budget_spent', reason },
  ]

  it.each<[Partial<Task>, Input, string]>([
    [
      { ...validating, agent: { name: 'claude', argv: [] } },
      blocked('BLOCK_REASON: which word?'),
      'The agent says it is blocked: "which word?" Resume it with an instruction.',
    ],
    [
      validating,
      blocked(''),
      'The agent says it is blocked and gives no reason. Resume it with an instruction if its command reads the prompt, else begin anew with another command.',
    ],
    [
      validating,
      checkpointed({ kind: 'no_change' }),
      'The agent says it is done, but nothing changed and no test says so; resume it with an instruction if its command reads the prompt, else begin anew with another command.',
    ],
    [
      validating,
      stuck,
      '3 steps in a row ended with the same tree and the same failure; resume it with an instruction if its command reads the prompt, else begin anew with another command.',
    ],
    [
      {
        ...validating,
        priorFailure: 'The test command failed (exit code 1). Its output ended with:\nnot ok 1',
      },
      stuck,
      '3 steps in a row ended with the same tree and the same failure; resume it with an instruction if its command reads the prompt, else begin anew with another command. The failure: "The test command failed (exit code 1)."',
    ],
    [
      { ...validating, priorFailure: 'x'.repeat(300) },
      stuck,
      `3 steps in a row ended with the same tree and the same failure; resume it with an instruction if its command reads the prompt, else begin anew with another command. The failure: "${'x'.repeat(199)}…"`,
    ],
    [
      running,
      violated,
      'The agent touched what the policy denies: new/config.yaml, a (rule a*). Its step was undone: resume it with an instruction, or start a new task with another policy.',
    ],
    [
      { ...running, losses: lossCap - 1 },
      { type: 'lost', text: 'It is gone.' },
      'Gave up after 5 lost attempts in a row: run "cofferdam doctor" and mend what it finds, then resume. The last one: It is gone.',
    ],
    [...spent(1, 60, 'steps'), 'The budget of 1 step is used up; resume it with a larger one to go on.'],
    [...spent(2, 60, 'time'), 'The budget of 1 minute is used up; resume it with a larger one to go on.'],
    [...spent(2, 20, 'time'), 'The budget of 20 seconds is used up; resume it with a larger one to go on.'],
    [...spent(2, 90, 'time'), 'The budget of 1.5 minutes is used up; resume it with a larger one to go on.'],
    [
      { ...running, budget: aBudget({ tokens: 20_000 }), spent: aSpent({ tokens: 20_001 }) },
      { type: 'budget_spent', reason: 'tokens' },
      'The budget of 20000 tokens is used up; resume it with a larger one to go on.',
    ],
    [
      { ...running, budget: aBudget({ tokens: 20_000 }), spent: aSpent({ tokens: 1200 }) },
      { type: 'budget_spent', reason: 'tokens' },
      'What is left of the budget of 20000 tokens (1200 are used) does not cover another call; resume it with a larger one to go on.',
    ],
    [
      { ...running, budget: aBudget({ costUsd: 2 }), spent: aSpent({ costUsd: 1.5 }) },
      { type: 'budget_spent', reason: 'cost' },
      'What is left of the budget of 2 USD (1.50 are used) does not cover another call; resume it with a larger one to go on.',
    ],
  ])('%j on %j says %s', (overrides, input, text) => {
    const changed = transition(aTask(overrides), input, now)
    expect(changed.kind === 'changed' && changed.task.halt?.text).toBe(text)
  })
})

describe('what an input writes', () => {
  const after = (overrides: Partial<Task>, input: Input): Task => {
    const changed = transition(aTask(overrides), input, now)
    if (changed.kind === 'refused') throw new Error(changed.text)
    return changed.task
  }

  it('a claim raises the fence and takes a lease', () => {
    const task = after({ status: 'PENDING', fence: 3 }, { type: 'claimed', leaseUntil: 42 })
    expect([task.fence, task.leaseUntil]).toEqual([4, 42])
  })

  it('a suggestion becomes part of the goal and raises the revision; the request stays', () => {
    const task = after({ status: 'DRAFT' }, { type: 'suggested', text: 'but keep the API', risks: [] })
    expect([task.goal, task.request, task.revision]).toEqual([
      'Make the tests pass\n\nbut keep the API',
      'Make the tests pass',
      2,
    ])
  })

  it('an instruction waits for the next prompt, joins what is there, and is consumed when the agent begins', () => {
    const steered = after(
      { status: 'RUNNING', ...inStep, instruction: 'one' },
      { type: 'steered', text: 'two' },
    )
    expect(steered.instruction).toBe('one\n\ntwo')
    const begun = after(steered, { type: 'begun', step: 2, attempt: 1, text: '', consumed: 'one\n\ntwo' })
    expect([begun.instruction, begun.step, begun.attempt]).toEqual([null, 2, 1])
  })

  it('what is said while a prompt is being written is for the next one', () => {
    const task = after(
      { status: 'RUNNING', ...inStep, instruction: 'one\n\ntwo' },
      { type: 'begun', step: 2, attempt: 1, text: '', consumed: 'one' },
    )
    expect(task.instruction).toBe('two')
  })

  it('what is said during the last test makes a further step of a task that would be applied', () => {
    const apply = checkpointed({ kind: 'apply', outcome: 'tested' })
    const task = after({ status: 'VALIDATING', ...validating, instruction: 'one more thing' }, apply)
    expect([task.status, task.phase, task.outcome]).toEqual(['RUNNING', 'agent', null])
  })

  it('the box of a test does not consume the instruction', () => {
    const task = after(
      { status: 'VALIDATING', ...inStep, phase: 'test', instruction: 'later' },
      { type: 'begun', step: 1, attempt: 1, text: '', consumed: null },
    )
    expect(task.instruction).toBe('later')
  })

  it('budget already spent stays spent on a resume', () => {
    const task = after(
      { status: 'TIMEOUT', spent: aSpent({ steps: 8, ms: 5 }) },
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 12, seconds: 1200 }) },
    )
    expect([task.spent, task.budget.steps, task.revision]).toEqual([aSpent({ steps: 8, ms: 5 }), 12, 2])
  })

  it.each<[string, Partial<Task>, Input, number]>([
    [
      'the same budget',
      {},
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 8, seconds: 1200 }) },
      1,
    ],
    [
      'more steps',
      {},
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 9, seconds: 1200 }) },
      2,
    ],
    [
      'more time',
      {},
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 8, seconds: 1201 }) },
      2,
    ],
    [
      'more tokens',
      {},
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 8, seconds: 1200, tokens: 9 }) },
      2,
    ],
    [
      'another cap on the cost',
      {},
      { type: 'resumed', instruction: null, budget: aBudget({ steps: 8, seconds: 1200, costUsd: 9 }) },
      2,
    ],
    ['an instruction', {}, resumed, 1],
    ['the same head', { phase: 'salvage' }, { type: 'salvaged', head: aCommit, text: '' }, 1],
    ['another head', { phase: 'salvage' }, { type: 'salvaged', head: aCommitOf('b'), text: '' }, 2],
  ])(
    '%s: a change of what a person decides on raises the revision, and only that',
    (_what, some, input, to) => {
      const before = {
        status: 'STOPPED',
        head: aCommit,
        budget: aBudget({ steps: 8, seconds: 1200 }),
        ...some,
      } as const
      expect(after(before, input).revision).toBe(to)
    },
  )

  it('agreeing to changed dependencies makes setup run again', () => {
    const halt = { reason: 'approval', text: '' } as const
    const task = after({ status: 'BLOCKED', halt, setupKey: 'old' }, resumed)
    expect(task.setupKey).toBeNull()
  })

  it('a step is charged when it is kept and when it is undone, not when it is lost', () => {
    const spent = (input: Input, overrides: Partial<Task>): number => after(overrides, input).spent.steps
    const next = checkpointed({ kind: 'next' })
    expect(spent(next, { status: 'VALIDATING', ...validating })).toBe(1)
    expect(spent({ type: 'violated', violations: [created] }, { status: 'RUNNING', ...inStep })).toBe(1)
    expect(spent({ type: 'lost', text: '' }, { status: 'RUNNING', ...inStep })).toBe(0)
  })
})

describe('a question', () => {
  const question = aTask({ ...asking, status: 'RUNNING', budget: aBudget({ steps: 2 }) })
  const after = (input: Input, task = question): Task => {
    const changed = transition(task, input, now)
    if (changed.kind === 'refused') throw new Error(changed.text)
    return changed.task
  }

  it('is charged a step and has its answer; one that failed tells the next step why', () => {
    const again = after({ type: 'answered', verdict: { kind: 'again', text: 'It broke.' } })
    expect([again.spent.steps, again.priorFailure, again.answer]).toEqual([1, 'It broke.', null])
    const done = after({ type: 'answered', verdict: { kind: 'answer', answer: 'So.' } }, again)
    expect([done.spent.steps, done.priorFailure, done.answer, done.outcome]).toEqual([2, null, 'So.', null])
  })

  it('takes no word while it is answered, and its refusal says how to ask more', () => {
    const steered = transition(question, { type: 'steered', text: 'also this' }, now)
    expect(steered).toMatchObject({ kind: 'refused', text: expect.stringMatching(/takes no further word/) })
    expect(possibleActs(question)).toEqual(['stop', 'pause'])
    const late = { ...question, status: 'APPLIED', phase: null } as const
    expect(transition(late, { type: 'steered', text: 'also this' }, now)).toEqual({
      kind: 'refused',
      text: `Task ${question.id} is APPLIED: steer is not possible with a question. Possible now: discard. It is answered: \`cofferdam ask --follow-up ${question.id} QUESTION\` asks more.`,
    })
    const done = { ...question, status: 'APPLIED', phase: null } as const
    const again = transition(done, { type: 'resumed', instruction: 'more', budget: null }, now)
    expect(again).toMatchObject({ text: expect.stringContaining(`cofferdam ask --follow-up ${question.id}`) })
    const gone = transition({ ...done, delivery: 'discarded' }, { type: 'stopped', text: null }, now)
    expect(gone).toMatchObject({ kind: 'refused', text: expect.not.stringContaining('--follow-up') })
  })
  it('stopped says that a resume asks it once more: it has no checkpoint', () => {
    const said = (kind: Task['kind']): unknown =>
      after({ type: 'stopped', text: null }, { ...question, kind }).halt?.text
    expect([said('question'), said('change')]).toEqual([
      'A person stopped it; resume has it asked once more.',
      'A person stopped it; resume goes on from the last checkpoint.',
    ])
  })
})
