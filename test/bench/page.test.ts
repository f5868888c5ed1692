import { expect, it } from 'vitest'
import { page } from './page.ts'
import type { Measured } from './row.ts'

const quick: Measured = {
  name: 'quick',
  value: 2,
  unit: 'ms',
  floor: 1,
  reach: { of: 'value', limit: 'most', than: 5 },
}
const slow: Measured = { ...quick, name: 'slow', reach: { of: 'ratio', limit: 'most', than: 1.5 } }
const host = { Kernel: 'Linux 6' }

it('tells what was reached and what was not, and on what', () => {
  const text = page({ measured: [quick, slow], notes: ['slow: as `x` is'] }, host, '2026-01-02')
  expect(text).toContain('on 2026-01-02, in one run')
  expect(text).toContain('\n- Kernel: Linux 6\n')
  expect(text).toContain('\n**1 of 2 are reached; not: slow.**\n')
  expect(text).toContain('\n| quick | 2 ms | 1 ms | 2.00 × | ≤ 5 ms | yes |\n')
  expect(text).toContain('\n| slow | 2 ms | 1 ms | 2.00 × | ≤ 1.5 × | **no** |\n')
  expect(text).toContain('\n- slow: as \\`x\\` is\n')
})

it('says so where all is reached', () => {
  expect(page({ measured: [quick], notes: [] }, host, '2026-01-02')).toContain('\n**1 of 1 are reached.**\n')
})
