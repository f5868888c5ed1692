import type { AgentResult } from '../agent.ts'
import type { AnswerVerdict } from '../input.ts'
import { withoutMarker } from '../markers.ts'
import type { Task } from '../task.ts'
import { visible } from '../terminal.ts'

/** Of an answer, characters: what a person reads. The output of the box has the rest. */
export const longestAnswer = 32_000

/** A letter, a digit, a sign: something to see. */
const seen = /[\p{L}\p{N}\p{P}\p{S}]/u

const cutMark = '\n\n[… cut here: `cofferdam task logs` has the rest.]'

/**
 * Decides what a step of a question came to: the agent's last words are the answer, unless it failed or needs a person.
 * @param redact takes the known secrets out of a text
 */
export function answerVerdict(
  { spent, budget }: Pick<Task, 'spent' | 'budget'>,
  { text, marker, failure }: AgentResult,
  redact: (text: string) => string,
): AnswerVerdict {
  if (failure === null && marker.state === 'BLOCKED')
    return { kind: 'agent_blocked', text: marker.blockReason }
  const answer = answerIn(text, redact)
  if (failure === null && answer !== '') return { kind: 'answer', answer }
  const isLast = spent.steps + 1 >= budget.steps
  return {
    kind: isLast ? 'no_answer' : 'again',
    text: failure === null ? 'The agent ended without a word.' : `The agent failed: ${failure}`,
  }
}

/** Redacted as it will be read: what is taken out of the agent's words may have stood in the middle of a secret. */
function answerIn(text: string, redact: (text: string) => string): string {
  const answer = redact(withoutMarker(visible(text)).trim())
  if (!seen.test(answer)) return ''
  if (answer.length <= longestAnswer) return answer
  const end = longestAnswer - cutMark.length
  return answer.slice(0, end).replace(/[\uD800-\uDBFF]$/, '') + cutMark
}
