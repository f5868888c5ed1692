import { answerCounter, bodies, isBody, type Tally, tokensOf } from './answer-counter.ts'
import type { Counter } from './upstream.ts'

const ends = new Set(['response.completed', 'response.incomplete', 'response.failed'])

/** An answer of the Responses API: the whole usage is in the event that ends it. */
export function responsesCounter(): Counter {
  return answerCounter({
    usageKey: 'usage',
    tells: ['output_tokens'],
    event({ type, response, delta }, tally) {
      if (typeof type !== 'string') return
      if (type.endsWith('.delta')) tally.said(delta)
      if (!ends.has(type) || !isBody(response)) return
      tally.reportAll(response['usage'])
      // What failed costs nothing but what it said, where it reports nothing.
      if (type === 'response.failed' && !tally.isReported) tally.report('output_tokens', 0)
      else tally.isComplete = true
    },
    tokens: (tally) => usageOf(tally, 'input_tokens', 'output_tokens'),
  })
}

/** An answer of Chat Completions: a stream's last chunk has the usage, where it was asked for; some servers repeat it. */
export function chatCounter(): Counter {
  return answerCounter({
    usageKey: 'usage',
    tells: ['completion_tokens'],
    last: '[DONE]',
    event({ choices, usage }, tally) {
      tally.reportAll(usage)
      for (const { delta } of bodies(choices)) {
        if (!isBody(delta)) continue
        tally.said(delta['content'], delta['refusal'], delta['reasoning'], delta['reasoning_content'])
        for (const call of bodies(delta['tool_calls']))
          if (isBody(call['function'])) tally.said(call['function']['name'], call['function']['arguments'])
      }
    },
    tokens: (tally) => usageOf(tally, 'prompt_tokens', 'completion_tokens'),
  })
}

function usageOf(tally: Tally, input: string, output: string): ReturnType<typeof tokensOf> {
  return tokensOf({
    input: tally.of(input),
    output: tally.of(output),
    cacheRead: tally.of(`${input}_details.cached_tokens`),
    cacheWrite: tally.of(`${input}_details.cache_write_tokens`),
    total: tally.of('total_tokens'),
  })
}
