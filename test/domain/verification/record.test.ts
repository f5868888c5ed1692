import { describe, expect, it } from 'vitest'
import type { TaskRecord } from '../../../src/domain/attestation.ts'
import { sha256 } from '../../../src/domain/canonical-json.ts'
import { checkRecord } from '../../../src/domain/verification/record.ts'

const cell = (value: unknown): string => sha256(JSON.stringify([value]))
const record = (task: Record<string, string>): TaskRecord => ({
  task,
  checkpoints: [],
  decisions: [],
  egress: [],
})
const then = record({ goal: cell('x') })

describe('a column that is younger than an attestation', () => {
  it.each<[string, Record<string, string>, readonly string[]]>([
    ['is what it was while it is empty', { goal: cell('x'), marks: cell(null) }, []],
    ['was changed where it holds something', { goal: cell('x'), marks: cell('[]') }, ['marks']],
    ['excuses no other', { goal: cell('y'), marks: cell(null) }, ['goal']],
    ['excuses none that is gone', { marks: cell(null) }, ['goal']],
  ])('%s', (_, now, changed) => {
    const findings = checkRecord({ record: then }, record(now), true)
    expect(findings.map(({ text }) => /column (\w+) /.exec(text)?.[1])).toEqual(changed)
  })
})
