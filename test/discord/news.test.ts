import { expect, it } from 'vitest'
import { nextSteps } from '../../src/discord/messages/news.ts'
import { aTask, aTaskId } from '../support/task.ts'

it.each([
  ['are heard', true, 'Reply in its thread to ask more.'],
  ['are not heard', false, `\`/ask follow_up:${aTaskId}\` asks more, in the same conversation.`],
])('an answered question says how to ask more where plain messages %s', (_, replies, sentence) => {
  const question = aTask({ kind: 'question', status: 'APPLIED', answer: 'So.', test: null })
  expect(nextSteps(question, replies).split('\n')[0]).toBe(sentence)
})
