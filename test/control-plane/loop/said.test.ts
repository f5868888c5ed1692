import { expect, test } from 'vitest'
import { printedLast } from '../../../control-plane/loop/said.ts'

test.each([
  ['no such package\n', 'It printed last: "no such package"'],
  ['\n \n', 'It printed nothing.'],
  [`${'x'.repeat(1000)}\nend`, `It printed last: "${'x'.repeat(596)}\nend"`],
])('what a box printed stands in quotes, at the end of a sentence (%#)', (output, said) => {
  expect(printedLast(output)).toBe(said)
})
