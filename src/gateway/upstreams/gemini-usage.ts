import { answerCounter, bodies, isBody, tokensOf } from './answer-counter.ts'
import type { Counter } from './upstream.ts'

/** An answer of generateContent, or a stream of them of which each has the usage so far: the last one is the whole. */
export function geminiCounter(): Counter {
  return answerCounter({
    usageKey: 'usageMetadata',
    // What was blocked has no candidates.
    tells: ['candidatesTokenCount', 'totalTokenCount'],
    isList: true,
    event({ candidates, usageMetadata, promptFeedback }, tally) {
      tally.reportAll(usageMetadata)
      if (isBody(promptFeedback) && promptFeedback['blockReason'] !== undefined) tally.isComplete = true
      for (const { content, finishReason } of bodies(candidates)) {
        if (typeof finishReason === 'string') tally.isComplete = true
        for (const { text, functionCall } of isBody(content) ? bodies(content['parts']) : [])
          tally.said(text, isBody(functionCall) ? JSON.stringify(functionCall) : null)
      }
    },
    tokens: (tally) =>
      tokensOf({
        // What tools of the provider brought is read by the model, and is no part of the prompt.
        input: tally.of('promptTokenCount') + tally.of('toolUsePromptTokenCount'),
        output: tally.of('candidatesTokenCount') + tally.of('thoughtsTokenCount'),
        cacheRead: tally.of('cachedContentTokenCount'),
        cacheWrite: 0,
        total: tally.of('totalTokenCount'),
      }),
  })
}
