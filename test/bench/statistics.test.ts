import { describe, expect, it } from 'vitest'
import { mean, median, percentile, steadyRate } from './statistics.ts'

describe('middle and ends of what was measured', () => {
  it.each([
    [[5], 0.5, 5],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2],
    [[10, 9, 2], 0.99, 10],
    [Array.from({ length: 200 }, (_, index) => index + 1), 0.99, 198],
    [[2, 1], 0, 1],
  ])('percentile of %j at %d is %d', (values, part, expected) => {
    expect(percentile(values, part)).toBe(expected)
  })

  it('the values are left in their order', () => {
    const values = [3, 1, 2]
    expect(median(values)).toBe(2)
    expect(values).toEqual([3, 1, 2])
  })

  it('nothing measured is an error, not a zero', () => {
    expect(() => median([])).toThrow('nothing was measured')
    expect(() => mean([])).toThrow('nothing was measured')
  })
})

describe('the rate of workers that are all busy', () => {
  it('counts from the last first end to the first last end', () => {
    // All are busy from 300 to 1000; four ends lie in it: 400, 600, 700, 1000.
    const rate = steadyRate([
      [100, 400, 700, 1000],
      [300, 600, 1100],
    ])
    expect(rate).toBeCloseTo(4 / 0.7)
  })

  it('one worker alone is counted between its ends', () => {
    expect(steadyRate([[0, 500, 1000]])).toBe(2)
  })

  it('workers that were never busy together are an error', () => {
    expect(() =>
      steadyRate([
        [0, 100],
        [500, 900],
      ]),
    ).toThrow('never all busy')
    expect(() => steadyRate([[0, 100], []])).toThrow('never all busy')
  })
})
