import { expect, it } from 'vitest'
import { benchOptions } from './options.ts'

const known = ['step_overhead', 'restart']

it.each([
  [[], { only: null, rounds: null, publish: false }],
  [['--rounds', '2'], { only: null, rounds: 2, publish: false }],
  [['--only', 'restart,step_overhead', '--rounds=3'], { only: new Set(known), rounds: 3, publish: false }],
  [['--publish'], { only: null, rounds: null, publish: true }],
])('%j', (args, expected) => {
  expect(benchOptions(args, known)).toEqual(expected)
})

it.each([
  [['--only', 'speed'], 'Nothing is measured under the name speed.'],
  [['--rounds', '0'], '--rounds is 1 or more.'],
  [['--rounds', 'many'], '--rounds is 1 or more.'],
  [['--publish', '--rounds', '2'], 'What is published is all of it'],
  [['--publish', '--only', 'restart'], 'What is published is all of it'],
  [['--fast'], 'Usage: npm run bench'],
  [['step_overhead'], 'Usage: npm run bench'],
])('%j is refused', (args, sentence) => {
  const answer = benchOptions(args, known)
  expect(answer).toContain(sentence)
  expect(answer).toContain('The names are: step_overhead, restart.')
})
