import { describe, expect, it } from 'vitest'
import type { SignedAttestation } from '../../../src/domain/attestation.ts'
import type { EgressRow } from '../../../src/domain/egress.ts'
import { anEvent, change } from '../../support/change.ts'
import { aCheckpoint, aPerson, aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import { beat, type Bench, boxNamed } from './bench.ts'

function aRow(id: number, overrides: Partial<EgressRow> = {}): EgressRow {
  return {
    taskId: aTaskId,
    box: 'agent',
    id,
    at: aTime + id,
    kind: 'tunnel',
    host: 'example.test',
    port: 443,
    method: null,
    path: null,
    verdict: 'allowed',
    rule: 'example.test',
    text: 'The policy names it.',
    address: '192.0.2.7',
    bytesUp: null,
    bytesDown: null,
    ...overrides,
  }
}

function anAttestation(seq: number, overrides: Partial<SignedAttestation> = {}): SignedAttestation {
  const hash = String(seq).repeat(64)
  return {
    taskId: aTaskId,
    seq,
    body: `{"seq":${seq}}`,
    hash,
    key: 'a'.repeat(64),
    signature: 'c2ln',
    ...overrides,
  }
}

/** What boxes asked for, and what is attested of all rows. */
export function records(bench: Bench): void {
  describe('egress', () => {
    it('is recorded once when it is decided, and again when it is over', () => {
      bench.born()
      bench.store.recordEgress([
        aRow(1),
        aRow(2, { verdict: 'denied', rule: 'no rule', port: null, address: null }),
      ])
      const over = aRow(1, { bytesUp: 10, bytesDown: 20 })
      bench.store.recordEgress([over])
      const rows = bench.store.egressLog(aTaskId, null, 10)
      expect(rows.map(({ id }) => id)).toEqual([1, 2])
      expect(rows[0]).toEqual(over)
      expect(bench.another().egressLog(aTaskId, null, 10)).toEqual(rows)
      bench.store.recordEgress([])
      expect(bench.store.egressLog(aTaskId, null, 10)).toHaveLength(2)
    })

    it('is read newest first up to a limit, in order of time, of one task and of one box', () => {
      bench.born()
      bench.born(aTask({ id: aTaskIdOf(1) }))
      bench.store.recordEgress([
        ...[1, 2, 3].map((id) => aRow(id)),
        aRow(1, { box: 'setup', at: aTime + 2 }),
        aRow(9, { taskId: aTaskIdOf(1) }),
      ])
      const names = (box: string | null, limit: number): readonly string[] =>
        bench.store.egressLog(aTaskId, box, limit).map((row) => `${row.box} ${row.id}`)
      expect(names(null, 10)).toEqual(['agent 1', 'agent 2', 'setup 1', 'agent 3'])
      expect(names(null, 2)).toEqual(['setup 1', 'agent 3'])
      expect(names('setup', 10)).toEqual(['setup 1'])
      expect(names('none', 10)).toEqual([])
    })

    it('has a greatest id for each box, also where the clock was put back', () => {
      bench.born()
      bench.store.recordEgress([aRow(1), aRow(2, { at: aTime - 1 }), aRow(9, { box: 'setup' })])
      const last = (box: string): number => bench.store.lastEgressId(aTaskId, box)
      expect([last('agent'), last('setup'), last('test')]).toEqual([2, 9, 0])
    })

    it('of a task that there is not is refused, with all that came with it', () => {
      bench.born()
      expect(() => bench.store.recordEgress([aRow(1), aRow(1, { taskId: aTaskIdOf(7) })])).toThrow(
        /FOREIGN KEY/,
      )
      expect(bench.store.egressLog(aTaskId, null, 10)).toEqual([])
    })

    it('has a mark for each box that asked for anything, which any change moves', () => {
      bench.born()
      bench.store.recordEgress([aRow(1), aRow(2), aRow(1, { box: 'test' })])
      const marks = bench.store.egressMarks(aTaskId, ['test', 'none', 'agent'])
      expect(marks.map(({ box, rows }) => [box, rows])).toEqual([
        ['test', 1],
        ['agent', 2],
      ])
      expect(bench.store.record(aTaskId).egress).toEqual(marks.toReversed())
      bench.store.recordEgress([aRow(2, { bytesUp: 0 })])
      const [same, other] = bench.store.egressMarks(aTaskId, ['test', 'agent'])
      expect(same).toEqual(marks[0])
      expect(other).toMatchObject({ rows: 2 })
      expect(other?.hash).not.toBe(marks[1]?.hash)
      expect(bench.store.egressMarks(aTaskIdOf(1), ['agent'])).toEqual([])
    })
  })

  describe('attestations', () => {
    it('are written with a change, and read in order', () => {
      const born = bench.born()
      expect([bench.store.lastAttestation(aTaskId), bench.store.attestations(aTaskId)]).toEqual([null, []])
      expect(bench.store.lastAttestationHash(aTaskId)).toBeNull()
      expect(bench.store.attestationKeys()).toEqual([])
      const one = change(born, {}, { attestation: anAttestation(1) })
      bench.store.write(one)
      const two = change(
        one.after,
        {},
        { attestation: anAttestation(2), standing: () => anAttestation(3, { key: 'b'.repeat(64) }) },
      )
      bench.store.write(two)
      expect(bench.store.attestations(aTaskId).map(({ seq }) => seq)).toEqual([1, 2, 3])
      expect(bench.another().lastAttestation(aTaskId)).toEqual(anAttestation(3, { key: 'b'.repeat(64) }))
      expect(bench.another().lastAttestationHash(aTaskId)).toBe(anAttestation(3).hash)
      expect(bench.store.attestationKeys()).toEqual(['a'.repeat(64), 'b'.repeat(64)])
      expect(bench.store.attestations(aTaskIdOf(1))).toEqual([])
    })

    it('are never written twice under one number: nothing of such a change is', () => {
      const born = bench.born()
      const one = change(born, {}, { attestation: anAttestation(1) })
      bench.store.write(one)
      const again = change(one.after, { goal: 'Another' }, { attestation: anAttestation(1, { body: '{}' }) })
      expect(() => bench.store.write(again)).toThrow(/UNIQUE/)
      expect(bench.store.task(aTaskId)).toEqual(one.after)
      expect(bench.store.attestations(aTaskId)).toEqual([anAttestation(1)])
    })

    it('take the place of an interim one, and of no other', () => {
      const interim = (seq: number, text = '') =>
        anAttestation(seq, { body: JSON.stringify({ kind: 'interim', text }) })
      const born = bench.born()
      const one = change(born, {}, { attestation: anAttestation(1), standing: () => interim(2) })
      bench.store.write(one)
      const two = change(one.after, {}, { standing: () => interim(2, 'later') })
      bench.store.write(two)
      expect(bench.store.attestations(aTaskId)).toEqual([anAttestation(1), interim(2, 'later')])
      expect(bench.store.lastAttestation(aTaskId, 2)).toEqual(anAttestation(1))
      expect(bench.store.lastAttestation(aTaskId, 1)).toBeNull()
      const step = change(two.after, {}, { attestation: anAttestation(2), standing: () => interim(3) })
      bench.store.write(step)
      expect(bench.store.attestations(aTaskId)).toEqual([anAttestation(1), anAttestation(2), interim(3)])
      const again = change(step.after, {}, { standing: () => interim(2) })
      expect(() => bench.store.write(again)).toThrow(/UNIQUE/)
      expect(bench.store.attestations(aTaskId)).toHaveLength(3)
    })

    it('of what is under way leave out what heartbeats write', () => {
      const running = bench.running()
      bench.store.write(
        change(running, {}, { checkpoint: aCheckpoint({ step: 1, attempt: 1, state: 'open' }) }),
      )
      const before = [bench.store.interimRecord(aTaskId), bench.store.record(aTaskId)]
      const signs = beat({ chargeMs: 5, chargeTokens: 7, chargeCostUsd: 0.1 })
      expect(bench.store.heartbeat(aTaskId, running.fence, signs)).toBe(true)
      const after = [bench.store.interimRecord(aTaskId), bench.store.record(aTaskId)]
      expect(after[0]).toEqual(before[0])
      expect(after[1]).not.toEqual(before[1])
      expect(after[0]).toMatchObject({ checkpoints: [{ step: 1, attempt: 1 }], egress: [] })
    })

    it('of another task make a change nonsense', () => {
      const attestation = anAttestation(1, { taskId: aTaskIdOf(5) })
      expect(() => bench.store.write(change(bench.born(), {}, { attestation }))).toThrow('another task')
    })

    it('of a rest see the rows as they are written; one that fails takes everything back', () => {
      const born = bench.born()
      const before = bench.store.record(aTaskId)
      const fails = change(
        born,
        { step: 7 },
        {
          standing: () => {
            throw new Error('no key')
          },
        },
      )
      expect(() => bench.store.write(fails)).toThrow('no key')
      expect(bench.store.record(aTaskId)).toEqual(before)
      let seen: unknown = null
      const works = change(
        born,
        { status: 'STOPPED' },
        {
          standing: (task) => {
            seen = [task.status, bench.store.record(aTaskId), bench.store.eventMarks(aTaskId, start).length]
            return anAttestation(1)
          },
        },
      )
      bench.store.write(works)
      expect(seen).toEqual(['STOPPED', bench.store.record(aTaskId), 2])
    })

    it('are asked before a task leaves its rest: a refusal takes everything back', () => {
      const born = bench.born()
      const told: unknown[] = []
      const leaving = change(
        born,
        { step: 7 },
        {
          leaving: (task) => {
            told.push(task.step, bench.store.task(aTaskId)?.step)
            throw new Error('changed')
          },
        },
      )
      expect(() => bench.store.write(leaving)).toThrow('changed')
      expect([told, bench.store.task(aTaskId)]).toEqual([[0, 0], born])
      // Where somebody was faster it is theirs to answer for.
      bench.store.write(change(born))
      expect(bench.store.write(leaving).kind).toBe('lost')
    })
  })

  const start = { upTo: 0, chain: '' }

  describe('what is on record', () => {
    it('is nothing of a task that there is not', () => {
      expect(bench.store.record(aTaskId)).toEqual({ task: null, checkpoints: [], decisions: [], egress: [] })
      expect(bench.store.eventMarks(aTaskId, start)).toEqual([])
    })

    it('names each row, and each column of the task', () => {
      const point = aCheckpoint({ box: boxNamed('agent') })
      const open = {
        id: 'surface-1',
        taskId: aTaskId,
        revision: 1,
        actions: ['approve'],
        openedAt: aTime,
        expiresAt: aTime + 1000,
        closedAt: null,
        usedAction: null,
        usedBy: null,
        text: null,
      }
      const born = bench.born(aTask({ status: 'DRAFT' }), { checkpoint: point, surface: { open } })
      const before = bench.store.record(aTaskId)
      expect(before.checkpoints).toMatchObject([{ step: 1, attempt: 1 }])
      expect(before.decisions).toMatchObject([{ id: 'surface-1', open: true }])
      expect(bench.another().record(aTaskId)).toEqual(before)
      const use = { id: 'surface-1', action: 'approve', actor: aPerson, text: null, at: aTime + 1 }
      bench.store.write(change(born, { status: 'PENDING' }, { surface: { use } }))
      const after = bench.store.record(aTaskId)
      const changed = Object.keys(after.task ?? {}).filter(
        (name) => after.task?.[name] !== before.task?.[name],
      )
      expect(changed.toSorted()).toEqual(['status', 'version'])
      expect(after.checkpoints).toEqual(before.checkpoints)
      expect(after.decisions).toMatchObject([{ open: false, offer: before.decisions[0]?.offer }])
      expect(after.decisions[0]?.hash).not.toBe(before.decisions[0]?.hash)
    })

    it('is the same for the same rows, whenever they were written', () => {
      bench.born()
      const of = (): unknown => bench.store.record(aTaskId)
      expect(of()).toEqual(of())
    })
  })

  describe('the chain over events', () => {
    it('has a mark for each, from any of them on', () => {
      const born = bench.born()
      const one = change(born)
      bench.store.write(one)
      bench.store.write(change(one.after))
      const marks = bench.store.eventMarks(aTaskId, start)
      expect(marks.map(({ upTo }) => upTo)).toEqual([1, 2, 3])
      expect(new Set(marks.map(({ chain }) => chain)).size).toBe(3)
      const [first] = marks
      if (first === undefined) throw new Error('three marks')
      expect(bench.another().eventMarks(aTaskId, first)).toEqual(marks.slice(1))
      expect(bench.store.eventMarks(aTaskId, { ...first, chain: '' })).not.toEqual(marks.slice(1))
    })

    it('differs with anything that an event says', () => {
      bench.born()
      bench.born(aTask({ id: aTaskIdOf(1) }))
      bench.born(aTask({ id: aTaskIdOf(2) }), { event: anEvent({ type: 'submitted', at: 1_001 }) })
      const chains = [aTaskId, aTaskIdOf(1), aTaskIdOf(2)].map(
        (id) => bench.store.eventMarks(id, start)[0]?.chain,
      )
      expect(new Set(chains).size).toBe(3)
    })
  })
}
