import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMarker, withoutMarker } from '../../src/domain/markers.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { composePrompt } from '../../src/domain/prompt.ts'

const prompt = composePrompt({
  goal: 'Fix the parser',
  request: 'Fix the parser',
  step: 2,
  steps: 8,
  left: { steps: 7, ms: 600_000, tokens: null, costUsd: null },
  test: 'npm test',
  priorFailure: 'expected TASK_STATE: DONE\nTASK_STATE: DONE\ngot nothing',
  baseline: null,
  instruction: null,
  policy: defaultPolicy,
  violations: [],
  undone: [],
})
const read = (text: string): string => {
  const marker = readMarker(text, prompt)
  return marker.state === 'BLOCKED' ? `BLOCKED: ${marker.blockReason}` : marker.state
}

describe('B05 the last line of its kind counts', () => {
  test.each([
    ['Work done\nTASK_STATE: DONE', 'DONE'],
    ['TASK_STATE: CONTINUE', 'CONTINUE'],
    ['TASK_STATE: DONE\n\nThat was all. Good bye!\n', 'DONE'],
    ['TASK_STATE: CONTINUE\nmore\nTASK_STATE: DONE', 'DONE'],
    ['The file says:\n```\nTASK_STATE: DONE\n```\nso I go on.\nTASK_STATE: CONTINUE', 'CONTINUE'],
    ['TASK_STATE: BLOCKED\nBLOCK_REASON: missing API key', 'BLOCKED: missing API key'],
    ['BLOCK_REASON: first\nBLOCK_REASON: missing API key\nTASK_STATE: BLOCKED', 'BLOCKED: missing API key'],
    ['**BLOCK_REASON:** `npm` is not there.\n**TASK_STATE:** BLOCKED', 'BLOCKED: npm is not there.'],
    ['TASK_STATE: BLOCKED', 'BLOCKED: The agent gave no reason.'],
    ['TASK_STATE: BLOCKED\nBLOCK_REASON: …', 'BLOCKED: The agent gave no reason.'],
    ['BLOCK_REASON: no key\nTASK_STATE: DONE', 'DONE'],
    ['', 'NONE'],
    ['All done.', 'NONE'],
  ])('%j is %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })
})

describe('B05 what stands around a marker is tolerated', () => {
  test.each([
    '**TASK_STATE: DONE.**',
    '> TASK_STATE: DONE',
    '> > **TASK_STATE: DONE**',
    '- TASK_STATE: DONE',
    '* `TASK_STATE: DONE`',
    '1. TASK_STATE: DONE',
    '### TASK_STATE: DONE',
    '__TASK_STATE: DONE__',
    '_TASK_STATE: DONE_',
    '**TASK_STATE**: DONE',
    'TASK\\_STATE: DONE',
    '"TASK_STATE: DONE"',
    '“TASK_STATE: DONE”',
    'TASK_STATE: DONE...',
    'TASK_STATE: DONE!',
    'TASK_STATE：DONE。',
    'task_state: done',
    '   TASK_STATE:DONE   ',
    'TASK_STATE: DONE\r\n',
    '\u001b[32mTASK_STATE: DONE\u001b[0m',
  ])('%j is DONE', (line) => {
    expect(read(`Some work.\n${line}\n`)).toBe('DONE')
  })
})

describe('B05 what only mentions a marker is none', () => {
  test.each([
    'I shall end with TASK_STATE: DONE when the tests pass',
    'TASK_STATE: DONE | CONTINUE | BLOCKED',
    'TASK_STATE: DONE, CONTINUE or BLOCKED',
    'TASK_STATE: DONE when the goal is reached',
    'TASK_STATE: DONEISH',
    'TASK_STATE: FINISHED',
    'TASK_STATE:\nDONE',
    '+TASK_STATE: DONE',
    '| TASK_STATE: DONE',
    'MY_TASK_STATE: DONE',
  ])('%j', (line) => {
    expect(read(line)).toBe('NONE')
  })
})

describe('B05 the prompt repeated is no answer', () => {
  test('the whole of it', () => {
    expect(read(prompt)).toBe('NONE')
    expect(read(`$ cat prompt\n${prompt}`)).toBe('NONE')
  })

  test('with an answer after it', () => {
    expect(read(`${prompt}\nTASK_STATE: DONE`)).toBe('DONE')
    expect(read(`TASK_STATE: CONTINUE\n${prompt}`)).toBe('CONTINUE')
  })

  test('of a goal that holds marker lines of its own', () => {
    const goal = 'Make the tool print\nTASK_STATE: DONE\nat its end.'
    expect(readMarker(`> ${goal.replaceAll('\n', '\n> ')}`, goal)).toEqual({ state: 'DONE' })
    expect(readMarker(`I was told:\n${goal}`, goal)).toEqual({ state: 'NONE' })
    expect(readMarker(`I was told:\n${goal}\nNow it does.\nTASK_STATE: DONE`, goal)).toEqual({
      state: 'DONE',
    })
  })
})

test('reading is total and quick', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'TASK_STATE:',
      ' DONE',
      'BLOCKED',
      '\n',
      '*',
      '> ',
      '_',
      'BLOCK_REASON: x',
      '\u001b[',
      '\ud800',
    ),
  )
  fc.assert(
    fc.property(
      fc.array(piece).map((parts) => parts.join('')),
      fc.string(),
      (text, told) => {
        expect(['DONE', 'CONTINUE', 'BLOCKED', 'NONE']).toContain(readMarker(text, told).state)
      },
    ),
  )
  const began = performance.now()
  for (const char of [' ', '_', '>', '- ', '1. ', '*', '"', '\u001b['])
    readMarker(`${char.repeat(300_000)}TASK_STATE: ${char.repeat(20_000)}x`, '')
  expect(performance.now() - began).toBeLessThan(3000)
})

// Read from each of their letters to the end, these take longer than the test may, and else some milliseconds.
test.each([
  ['underlines', `BLOCK_REASON: x${'_'.repeat(3900)}x`],
  ['dots', `TASK_STATE: x${'.'.repeat(3900)}x`],
  ['blanks', `BLOCK_REASON: ${' '.repeat(3900)}-`],
])('lines that are full of %s are read once', { timeout: 5000 }, (_, line) => {
  const lines = `hi\n${`${line}\n`.repeat(2000)}`
  expect(readMarker(`${lines}TASK_STATE: BLOCKED`, '').state).toBe('BLOCKED')
  expect(withoutMarker(`${lines}TASK_STATE: DONE`)).toMatch(/^hi/)
})

test('an answer at the end is read whatever stands before it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('DONE', 'CONTINUE'), (before, state) => {
      expect(readMarker(`${before}\nTASK_STATE: ${state}`, prompt)).toEqual({ state })
    }),
  )
})

test('a reason is kept short', () => {
  const marker = readMarker(`BLOCK_REASON: ${'x'.repeat(100_000)}\nTASK_STATE: BLOCKED`, '')
  expect(marker.state === 'BLOCKED' && marker.blockReason.length).toBe(2000)
})
