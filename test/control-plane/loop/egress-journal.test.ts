import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { EgressJournal } from '../../../control-plane/loop/egress-journal.ts'
import type { EgressDecision, EgressRow } from '../../../src/domain/egress.ts'
import { aDecision } from '../../support/decision.ts'
import { aTaskId } from '../../support/task.ts'

const decision = (id: number, some: Partial<EgressDecision> = {}): EgressDecision =>
  aDecision({ id, at: id, ...some })
const opens = { verdict: 'allowed', rule: 'a.test' } as const

/** A log that notes each write, and fails while it is told to. */
function openLog(last = 0) {
  const log = {
    writes: [] as number[][],
    fails: false,
    recordEgress(rows: readonly EgressRow[]): void {
      if (log.fails) throw new Error('the disk is full')
      log.writes.push(rows.map(({ id }) => id))
    },
    lastEgressId: () => last,
  }
  return log
}
const journalOn = (log: ReturnType<typeof openLog>): EgressJournal =>
  new EgressJournal(log, aTaskId, 'box', pino({ level: 'silent' }))

describe('the journal of a box’s egress', () => {
  it('has on record what opens a connection before it is opened, with what waited', () => {
    const log = openLog()
    const journal = journalOn(log)
    journal.put(decision(1))
    expect(log.writes).toEqual([])
    journal.put(decision(2, opens))
    expect(log.writes).toEqual([[1, 2]])
  })

  it('writes what is denied or over a moment later, the last of each number once', async () => {
    const log = openLog()
    const journal = journalOn(log)
    journal.put(decision(1, { ...opens, bytesUp: 1, bytesDown: 2 }))
    journal.put(decision(2))
    journal.put(decision(2, { text: 'No, for the tenth time.' }))
    await expect.poll(() => log.writes).toEqual([[1, 2]])
  })

  it('throws what the storage throws where a connection would open, and keeps what waits', () => {
    const log = openLog()
    const journal = journalOn(log)
    journal.put(decision(1))
    log.fails = true
    expect(() => journal.put(decision(2, opens))).toThrow('the disk is full')
    log.fails = false
    journal.flush()
    expect(log.writes).toEqual([[1, 2]])
  })

  it('counts on from what another process has recorded of the box', () => {
    const log = openLog(7)
    const journal = journalOn(log)
    journal.put(decision(1, opens))
    expect(log.writes).toEqual([[8]])
  })

  it('holds no more than so many back', () => {
    const log = openLog()
    const journal = journalOn(log)
    for (let id = 1; id <= 450; id += 1) journal.put(decision(id))
    expect(log.writes.map(({ length }) => length)).toEqual([200, 200])
    journal.flush()
    expect(log.writes.flat()).toHaveLength(450)
  })
})
