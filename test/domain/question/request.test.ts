import { describe, expect, it } from 'vitest'
import { parseQuestionRequest } from '../../../src/domain/question/request.ts'
import { aTaskId } from '../../support/task.ts'

const asked = (more: object = {}) => parseQuestionRequest({ question: 'Why?', repository: '/r', ...more })
const problems = (input: unknown): readonly string[] => {
  const parsed = parseQuestionRequest(input)
  return parsed.ok ? [] : parsed.problems
}

describe('a question', () => {
  it('needs no more than its words and a repository', () => {
    expect(asked()).toEqual({
      ok: true,
      request: {
        question: 'Why?',
        repository: '/r',
        ref: null,
        agent: null,
        budget: {},
        draft: false,
        policy: null,
        followUp: null,
      },
    })
  })

  it('B02 is a draft where it begins so', () => {
    expect(asked({ question: '草稿：why?' })).toMatchObject({ request: { question: 'why?', draft: true } })
  })

  it('has no half character that stands alone', () => {
    expect(asked({ question: 'Why \ud83d?' })).toMatchObject({ request: { question: 'Why \ufffd?' } })
  })

  it('that follows another up has that one’s repository', () => {
    const parsed = parseQuestionRequest({ question: 'And?', followUp: aTaskId })
    expect(parsed).toMatchObject({ ok: true, request: { repository: null, followUp: aTaskId } })
    expect(problems({ question: 'And?', repository: '/r', followUp: aTaskId })).toEqual([
      'A follow-up is about the repository of the question before it: leave the repository out.',
    ])
  })

  it.each<[object, RegExp]>([
    [{ repository: '/r' }, /^The question is missing: /],
    [{ question: ' ', repository: '/r' }, /^The question is empty: /],
    [{ question: 'draft:', repository: '/r' }, /^The question is empty: /],
    [{ question: 'a\0b', repository: '/r' }, /^The question cannot be read\. /],
    [{ question: 'x'.repeat(20_001), repository: '/r' }, /^The question is longer than 20,000 characters/],
    [{ question: 'Why?' }, /^The repository is missing: /],
    [{ question: 'Why?', repository: 'r' }, /^The repository has to be an absolute path/],
    [{ question: 'Why?', repository: '/r', test: 'true' }, /^A question knows nothing named "test"/],
    [{ question: 'Why?', repository: '/r', agent: { name: 'command' } }, /needs a program to run/],
    [{ question: 'Why?', followUp: 'nope' }, /followUp/],
  ])('%j is refused in a sentence', (input, sentence) => {
    expect(problems(input)).toEqual([expect.stringMatching(sentence)])
  })

  it('is an object', () => {
    expect(problems('Why?')).toEqual(['A question is an object with a question and a repository.'])
  })
})
