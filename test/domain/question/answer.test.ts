import { describe, expect, it } from 'vitest'
import type { AgentResult } from '../../../src/domain/agent.ts'
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
    expect(answerVerdict(question, said(text))).toEqual({ kind: 'answer', answer })
  })

  it('also where the agent thinks of a further step', () => {
    const result = said('So far.\nTASK_STATE: CONTINUE', { marker: { state: 'CONTINUE' } })
    expect(answerVerdict(question, result)).toEqual({ kind: 'answer', answer: 'So far.' })
  })

  it('needs a person where the agent says so', () => {
    const result = said('…', { marker: { state: 'BLOCKED', blockReason: 'Which branch?' } })
    expect(answerVerdict(question, result)).toEqual({ kind: 'agent_blocked', text: 'Which branch?' })
  })

  it('is no answer where the agent failed or said nothing, and is tried again while a step is left', () => {
    expect(answerVerdict(question, failed)).toEqual({
      kind: 'no_answer',
      text: 'The agent failed: It broke.',
    })
    expect(answerVerdict(patient, failed).kind).toBe('again')
    expect(answerVerdict(question, said(' \nTASK_STATE: DONE'))).toEqual({
      kind: 'no_answer',
      text: 'The agent ended without a word.',
    })
  })

  it('an answer without end is cut, with a mark, and no letter in two', () => {
    const verdict = answerVerdict(question, said(`x${'🚣'.repeat(longestAnswer)}`))
    const answer = verdict.kind === 'answer' ? verdict.answer : ''
    expect(answer.length).toBeGreaterThan(longestAnswer - 2)
    expect(answer.length).toBeLessThanOrEqual(longestAnswer)
    expect(answer).toMatch(/🚣\n\n\[… cut here: `cofferdam task logs` has the rest\.\]$/u)
  })
})
