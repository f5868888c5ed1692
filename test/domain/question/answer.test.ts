import { describe, expect, it } from 'vitest'
import type { AgentResult } from '../../../src/domain/agent.ts'
import type { AnswerVerdict } from '../../../src/domain/input.ts'
import { KnownSecrets } from '../../../src/domain/leak.ts'
import { answerVerdict, longestAnswer } from '../../../src/domain/question/answer.ts'
import { aBudget, aSpent } from '../../support/task.ts'

const question = { budget: aBudget({ steps: 1 }), spent: aSpent() }
const patient = { budget: aBudget({ steps: 2 }), spent: aSpent() }
const said = (text: string, more: Partial<AgentResult> = {}): AgentResult => ({
  marker: { state: 'NONE' },
  text,
  exitCode: 0,
  session: null,
  usage: null,
  failure: null,
  ...more,
})
const secrets = new KnownSecrets([{ name: 'key', value: 'sk-SECRET-0123456789' }])
const verdictOf = (task: Parameters<typeof answerVerdict>[0], result: AgentResult): AnswerVerdict =>
  answerVerdict(task, result, (text) => secrets.redact(text))
const failed = said('half an answer', { failure: 'It broke.', exitCode: 1 })

describe('what a step of a question comes to', () => {
  it.each<[string, string]>([
    ['In a.ts, line 3.\n', 'In a.ts, line 3.'],
    ['In a.ts.\n\n**TASK_STATE: DONE.**\n', 'In a.ts.'],
    ['In a.ts.\nBLOCK_REASON: none\nTASK_STATE: CONTINUE', 'In a.ts.'],
    [
      'It reads the line\n\nTASK_STATE: DONE\n\nin markers.ts.',
      'It reads the line\n\nTASK_STATE: DONE\n\nin markers.ts.',
    ],
    ['The column is called\nTASK_STATE of jobs', 'The column is called\nTASK_STATE of jobs'],
    ['\u001b[1mbold\u001b[0m\0', 'bold'],
  ])('%j: the answer is %j', (text, answer) => {
    expect(verdictOf(question, said(text))).toEqual({ kind: 'answer', answer })
  })

  it.each(['\u001b[0m', '\0', '\u0007', '\u009b', '\u202e', '\u001b[0m\0'])(
    'no secret is put together by what is taken out of an answer: %j',
    (between) => {
      const verdict = verdictOf(question, said(`It is sk-SECRET-${between}0123456789.`))
      expect(verdict).toEqual({ kind: 'answer', answer: 'It is [redacted:key].' })
    },
  )

  it('also where the agent thinks of a further step', () => {
    const result = said('So far.\nTASK_STATE: CONTINUE', { marker: { state: 'CONTINUE' } })
    expect(verdictOf(question, result)).toEqual({ kind: 'answer', answer: 'So far.' })
  })

  it('needs a person where the agent says so', () => {
    const result = said('…', { marker: { state: 'BLOCKED', blockReason: 'Which branch?' } })
    expect(verdictOf(question, result)).toEqual({ kind: 'agent_blocked', text: 'Which branch?' })
  })

  it('is no answer where the agent failed or said nothing, and is tried again while a step is left', () => {
    expect(verdictOf(question, failed)).toEqual({
      kind: 'no_answer',
      text: 'The agent failed: It broke.',
    })
    expect(verdictOf(patient, failed).kind).toBe('again')
    for (const text of [' \nTASK_STATE: DONE', '\u0007\u0008\u007f', '\u202e\u200b', '\u001b[1m \u001b[0m'])
      expect(verdictOf(question, said(text))).toEqual({
        kind: 'no_answer',
        text: 'The agent ended without a word.',
      })
  })

  it('an answer without end is cut, with a mark, and no letter in two', () => {
    const verdict = verdictOf(question, said(`x${'🚣'.repeat(longestAnswer)}`))
    const answer = verdict.kind === 'answer' ? verdict.answer : ''
    expect(answer.length).toBeGreaterThan(longestAnswer - 2)
    expect(answer.length).toBeLessThanOrEqual(longestAnswer)
    expect(answer).toMatch(/🚣\n\n\[… cut here: `cofferdam task logs` has the rest\.\]$/u)
  })
})
