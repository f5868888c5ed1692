import { expect, it } from 'vitest'
import { refuseUnnamed } from '../../control-plane/gate/merge.ts'
import { refuseSpent } from '../../control-plane/gate/refusals.ts'
import { respelled } from '../../src/dashboard/respelled.ts'
import { toldEvent } from '../../src/domain/retold.ts'
import { aBudget, aSpent, aTask, aTaskId } from '../support/task.ts'

it('a name in a sentence turns nothing around', () => {
  expect(respelled('Both changed \u202egnp.exe, see `cofferdam task list`.')).toBe(
    'Both changed \u{fffd}gnp.exe, see the board.',
  )
})

it.each([
  ['`cofferdam task list` shows those there are.', 'the board shows those there are.'],
  ['`cofferdam task show x` and `cofferdam task watch x`', 'its page and its page'],
  ['`cofferdam task diff x` prints it', 'its page “Changes” prints it'],
  ['`cofferdam task diff x --against main`', 'its page “Changes” (what a merge would change in main now)'],
  ['`cofferdam task merge x --into main --accept ci,foreign`', '“Merge” (into main, ticked: ci,foreign)'],
  ['`cofferdam task merge x --how squash --accept ci`', '“Merge” (by squash, ticked: ci)'],
  ['`cofferdam task merge x --into a --how squash --accept ci`', '“Merge” (into a by squash, ticked: ci)'],
  ['`cofferdam task pull-request x --into a --ready --accept ci`', '“Pull request” (for a, ticked: ci)'],
  [
    '`cofferdam task pull-request x --into main --accept foreign`',
    '“Pull request” (for main, ticked: foreign)',
  ],
  ['`cofferdam task pull-ended x --merged`', '“Merged or closed there” (merged)'],
  ['`cofferdam task pull-ended x --closed`', '“Merged or closed there” (closed)'],
  ['`cofferdam task review x --withdraw N` takes it back', '“Withdraw review N” takes it back'],
  ['`cofferdam ask --follow-up x QUESTION` asks more', '“Ask on” on its page asks more'],
  [`\`cofferdam verify ${aTaskId}\` says more`, 'its page “Proof” says more'],
  ['`cofferdam outbox list --state dead`', 'the page “Health”'],
  ['`cofferdam schedule list`', 'the page “Schedules”'],
  ['`cofferdam task list --status FAILED`', '`cofferdam task list --status FAILED`'],
  ['`cofferdam restore`, `git log`', '`cofferdam restore`, `git log`'],
])('%s', (text, spelt) => {
  expect(respelled(text)).toBe(spelt)
})

it.each([
  ['halted', 'its page'],
  ['reviewed', '`cofferdam task show x`'],
])('of an event of type %s it is %s', (type, spelt) => {
  expect(toldEvent({ type, text: '`cofferdam task show x`' }, respelled)).toBe(spelt)
})

it('of a review its first comment has no dash of a list', () => {
  const told = (text: string) => toldEvent({ type: 'reviewed', text }, respelled)
  expect(told('Reviewed: - src/a.ts:3: use let')).toBe('Reviewed: src/a.ts:3: use let')
  expect(told('Reviewed: Nearly.\n- src/a.ts:3: use let')).toBe('Reviewed: Nearly.\n- src/a.ts:3: use let')
})

it('what the control plane refuses names what can be pressed here', () => {
  const said = (act: () => void): string => {
    try {
      act()
      return ''
    } catch (error) {
      return respelled(String(error))
    }
  }
  const spent = aTask({ status: 'TIMEOUT', spent: aSpent({ steps: 8 }) })
  expect(said(() => refuseSpent(spent, aBudget(), 'Go on.'))).toMatch(
    /“Resume” with a larger budget \(steps: 12\)\.$/,
  )
  const unread = aTask({ marks: null })
  expect(said(() => refuseUnnamed(unread, 'task merge x', []))).toMatch(/: “Merge” \(ticked: unread\)\.$/)
  expect(said(() => refuseUnnamed(unread, 'task pull-request x', []))).toMatch(
    /: “Pull request” \(ticked: unread\)\.$/,
  )
})
