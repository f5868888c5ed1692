import { describe, expect, it } from 'vitest'
import { tooLate, whoDecided } from '../../../control-plane/gate/too-late.ts'
import type { Lost, Surface } from '../../../control-plane/store/store.ts'
import { aSurface } from '../../support/surface.ts'
import { aPerson, aTask, aTaskId } from '../../support/task.ts'

describe('one whose decision was not written', () => {
  const used = aSurface({ usedAction: 'reject', usedBy: aPerson, text: 'No.' })

  it.each<[Lost['reason'], Surface | null, string]>([
    ['used', used, 'ada has decided already (reject: "No.").'],
    ['closed', aSurface(), 'The task moved on before this was decided.'],
    ['expired', aSurface(), 'That offer has expired: `cofferdam task show '],
    ['stale', aSurface(), 'The task changed since that was shown.'],
    ['not_offered', aSurface(), 'That was not offered there. '],
    ['unknown', null, 'Nothing was offered there to decide on.'],
    ['task', null, `Task ${aTaskId} changed at the same moment.`],
  ])('is told what became of it, and how the task is: %s', (reason, surface, sentence) => {
    const now = aTask({ status: 'RUNNING' })
    const said = tooLate(aTask(), { kind: 'lost', reason, now, surface })
    expect(said).toContain(sentence)
    expect(said).toContain(`Task ${aTaskId} is RUNNING now`)
  })

  it('is told where the task is gone', () => {
    const said = tooLate(aTask(), { kind: 'lost', reason: 'task', now: null, surface: null })
    expect(said).toContain(`Task ${aTaskId} is gone`)
  })
})

describe('who decided what', () => {
  it.each([
    [{ usedAction: 'approve', usedBy: aPerson }, 'ada has decided already (approve).'],
    [
      { usedAction: 'reject', usedBy: { kind: 'system', id: 'schedule' }, text: 'late' },
      'The system (schedule) has decided already (reject: "late").',
    ],
    [{}, ''],
  ] as const)('%j: %s', (surface, sentence) => {
    expect(whoDecided(aSurface(surface))).toBe(sentence)
  })
})
