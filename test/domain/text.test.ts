import { expect, test } from 'vitest'
import { counted, fewOf, timeOf } from '../../src/domain/text.ts'

test.each([
  [counted(1, 'step'), '1 step'],
  [counted(0, 'step'), '0 steps'],
  [counted(2, 'file is', 'files are'), '2 files are'],
  [timeOf(1), '1 second'],
  [timeOf(59), '59 seconds'],
  [timeOf(60), '1 minute'],
  [timeOf(1230), '20.5 minutes'],
  [fewOf(['a', 'b']), 'a, b'],
  [fewOf(['a', 'b', 'c'], 2), 'a, b and 1 more'],
])('%s', (said, expected) => {
  expect(said).toBe(expected)
})
