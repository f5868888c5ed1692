import { expect, it } from 'vitest'
import type { Act } from '../../src/domain/control-plane.ts'
import { actRefusal, submitRefusal } from '../../src/domain/rights.ts'
import { anOperator, anOwner, aTask, aViewer } from '../support/task.ts'

const deciding: readonly Act['act'][] = ['approve', 'reject', 'discard']
const steering: readonly Act['act'][] = ['stop', 'pause', 'resume', 'steer', 'suggest']
const every = [...deciding, ...steering]
const ofOperator = aTask({ createdBy: anOperator.actor })

it.each([
  ['an owner', 'their own task', anOwner, aTask(), every],
  ['an owner', 'the task of another', anOwner, ofOperator, every],
  ['an operator', 'their own task', anOperator, ofOperator, steering],
  ['an operator', 'the task of another', anOperator, aTask(), []],
  ['a viewer', 'their own task', aViewer, aTask({ createdBy: aViewer.actor }), []],
])('B24 what %s may do with %s', (_who, _whose, caller, task, allowed) => {
  expect(every.filter((act) => actRefusal(caller, act, task) === null)).toEqual(allowed)
})

it('B24 a refusal says who could do it instead', () => {
  for (const caller of [anOperator, aViewer])
    for (const act of every) expect(actRefusal(caller, act, aTask())).toMatch(/an owner can/)
})

it('a refusal names an act whose name is no verb in words', () => {
  expect([
    actRefusal(aViewer, 'pull-request', aTask()),
    actRefusal(anOperator, 'pull-request', ofOperator),
    actRefusal(aViewer, 'pull-ended', aTask()),
  ]).toEqual([
    expect.stringContaining('may look, and not propose a task: an owner'),
    expect.stringContaining('is marked: an owner can propose it.'),
    expect.stringContaining('and not say what became of the pull request of a task: an owner'),
  ])
})

it('B24 viewers start no task', () => {
  expect([anOwner, anOperator, aViewer].map((caller) => submitRefusal(caller) === null)).toEqual([
    true,
    true,
    false,
  ])
})

it('one name of two kinds is two actors', () => {
  const other = { ...anOperator, actor: { ...anOperator.actor, kind: 'discord' as const } }
  expect(actRefusal(other, 'stop', ofOperator)).toMatch(/not theirs/)
})
