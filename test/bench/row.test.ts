import { describe, expect, it } from 'vitest'
import { type Measured, rowOf, tableOf } from './row.ts'

function aMeasured(overrides: Partial<Measured> = {}): Measured {
  const reach = { of: 'ratio', limit: 'most', than: 1.25 } as const
  return { name: 'step_overhead', value: 120, unit: 'ms', floor: 100, reach, ...overrides }
}

describe('a row of bench.json', () => {
  it('has the fields that it is read by', () => {
    expect(rowOf(aMeasured())).toEqual({
      name: 'step_overhead',
      value: 120,
      unit: 'ms',
      floor: 100,
      ratio: 1.2,
      reach: 1.25,
      met: true,
    })
  })

  it.each([
    ['a ratio at its limit', 125, { of: 'ratio', limit: 'most', than: 1.25 }, true],
    ['a ratio above it, by less than is shown', 125.1, { of: 'ratio', limit: 'most', than: 1.25 }, false],
    ['a ratio below the least', 84, { of: 'ratio', limit: 'least', than: 0.85 }, false],
    ['a ratio above the least', 86, { of: 'ratio', limit: 'least', than: 0.85 }, true],
    ['a value within its limit', 480, { of: 'value', limit: 'most', than: 500 }, true],
    ['a value above it', 501, { of: 'value', limit: 'most', than: 500 }, false],
    ['a value below the least', 1999, { of: 'value', limit: 'least', than: 2000 }, false],
  ] as const)('%s', (_, value, reach, met) => {
    expect(rowOf(aMeasured({ value, reach })).met).toBe(met)
  })

  it.each([
    [0.1234, 0.12],
    [12.345, 12.3],
    [123.45, 123],
    [4321.5, 4322],
  ])('%d is shown as %d', (value, shown) => {
    expect(rowOf(aMeasured({ value })).value).toBe(shown)
  })
})

it('the table says what is reached and what is not', () => {
  const slow: Measured = {
    name: 'stop_latency',
    value: 612,
    unit: 'ms',
    floor: 306,
    reach: { of: 'value', limit: 'most', than: 500 },
  }
  expect(tableOf([aMeasured(), slow])).toBe(
    [
      'what           value   floor   ratio   reach     met',
      'step_overhead  120 ms  100 ms  1.20 ×  ≤ 1.25 ×  yes',
      'stop_latency   612 ms  306 ms  2.00 ×  ≤ 500 ms  NO',
      '',
    ].join('\n'),
  )
})
