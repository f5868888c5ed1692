import { describe, expect, it } from 'vitest'
import { BoxNotices } from '../../../control-plane/loop/notices.ts'
import { BoxOverseer, type Spending } from '../../../control-plane/loop/overseer.ts'
import { aBox } from '../../support/box.ts'
import { aDecision } from '../../support/decision.ts'
import { aBudget, aSpent } from '../../support/task.ts'
import { openBoxWork } from './box-work.ts'

const box = aBox()
function overseeing(...options: Parameters<typeof openBoxWork>) {
  const opened = openBoxWork(...options)
  const charged: Spending[] = []
  const overseer = new BoxOverseer(opened.work, box, new BoxNotices(opened.work, box), {
    spent: (spending) => void charged.push(spending),
    unavailable: () => undefined,
  })
  const rows = () => opened.store.egressLog(opened.work.task.id, box.name, 100)
  return { ...opened, overseer, charged, rows }
}

describe('what a box asks for', () => {
  it('is in the egress log at once where it is allowed, and told to nobody', () => {
    const { overseer, rows, noticed } = overseeing()
    overseer.decided(aDecision({ verdict: 'allowed', rule: 'a.test', address: '192.0.2.1' }))
    expect(rows()).toEqual([
      expect.objectContaining({ id: 1, host: 'a.test', verdict: 'allowed', box: box.name }),
    ])
    overseer.decided(aDecision({ verdict: 'allowed', rule: 'a.test', bytesUp: 5, bytesDown: 7 }))
    overseer.end()
    expect(rows()).toEqual([expect.objectContaining({ id: 1, bytesUp: 5, bytesDown: 7 })])
    expect(noticed()).toEqual([])
  })

  it('is told to people where it is denied, and in the log at the end of the box', () => {
    const { overseer, rows, noticed } = overseeing()
    overseer.decided(aDecision())
    overseer.decided(aDecision({ id: 2, verdict: 'failed', rule: 'not found' }))
    expect(noticed()).toHaveLength(1)
    overseer.end()
    expect(rows().map(({ id, verdict }) => [id, verdict])).toEqual([
      [1, 'denied'],
      [2, 'failed'],
    ])
  })

  it('does not pass where it cannot be written', () => {
    const { overseer, store } = overseeing()
    store[Symbol.dispose]()
    expect(() => overseer.decided(aDecision({ verdict: 'allowed', rule: 'a.test' }))).toThrow(/not open/)
    expect(() => overseer.left()).toThrow(/not open/)
  })

  it('has numbers of its own where the box was taken over', () => {
    const first = overseeing()
    first.overseer.decided(aDecision())
    first.overseer.decided(aDecision({ id: 2 }))
    first.overseer.end()
    const nobody = { spent: () => undefined, unavailable: () => undefined }
    const second = new BoxOverseer(first.work, box, new BoxNotices(first.work, box), nobody)
    second.decided(aDecision({ host: 'b.test' }))
    second.end()
    expect(first.rows().map(({ id, host }) => [id, host])).toEqual([
      [1, 'a.test'],
      [2, 'a.test'],
      [3, 'b.test'],
    ])
  })
})

describe('what a box may spend', () => {
  it.each([
    ['no limits', {}, {}, { tokens: null, costUsd: null }],
    ['tokens', { tokens: 1000 }, { tokens: 400 }, { tokens: 600, costUsd: null }],
    ['money', { costUsd: 2 }, { costUsd: 0.5 }, { tokens: null, costUsd: 1.5 }],
  ])('is what its task has left: %s', (_what, budget, spent, left) => {
    const { overseer } = overseeing({ budget: aBudget(budget), spent: aSpent(spent) })
    expect(overseer.left()).toMatchObject(left)
  })

  it('is looked up anew for each call', () => {
    const { overseer, store, work } = overseeing({ budget: aBudget({ tokens: 1000 }) })
    const beat = { leaseUntil: Date.now() + 30_000, chargeMs: 0, step: 1, attempt: 1 }
    store.heartbeat(work.task.id, work.task.fence, { ...beat, chargeTokens: 300, chargeCostUsd: 0 })
    expect(overseer.left().tokens).toBe(700)
  })

  it('is charged as input and output together; a cost that nobody knows is none', () => {
    const { overseer, charged } = overseeing()
    overseer.spent({ inputTokens: 100, outputTokens: 50, costUsd: 0.25 })
    overseer.spent({ inputTokens: 1, outputTokens: 0, costUsd: null })
    expect(charged).toEqual([
      { tokens: 150, costUsd: 0.25 },
      { tokens: 1, costUsd: 0 },
    ])
  })

  it.each(['tokens', 'cost'] as const)(
    'ends the step when the budget of %s is spent, also when told twice',
    (budget) => {
      const { overseer, task } = overseeing()
      overseer.exhausted(budget)
      overseer.exhausted(budget)
      expect([task().status, task().phase, task().halt?.reason]).toEqual(['TIMEOUT', 'salvage', budget])
    },
  )
})

it('a secret that is found is told to people', () => {
  const { overseer, noticed } = overseeing()
  overseer.leaked({ secret: 'token', way: 'up', encoding: 'hex' })
  expect(noticed().map(({ text }) => text)).toEqual([
    'The secret token (hex) was found in a request, which was blocked.',
  ])
})
