import type { RiskReason } from '../task.ts'
import type { RiskInput } from './rule.ts'
import { type Text, textOf, wordRules, wordsFound } from './words.ts'

/** Longer texts are not read, characters: a person looks at them. */
const longest = 60_000

/** A text that is read for words, and what it is called in a sentence. */
interface Part {
  readonly what: string
  readonly text: Text
  /** The rule that says nothing of it. */
  readonly except?: string
}

/** What the words of a task's goal and commands say. What the configuration itself says is not questioned. */
export function risksInTask(input: RiskInput): readonly RiskReason[] {
  const { goal, setup, setupBy, test, agent, agentBy } = input
  const argv = agent.argv.join(' ')
  return [
    ...risksIn([
      part('The goal', 'prose', goal),
      part('The test command', 'command', test),
      // Installing is what setup is for; that it is not the configured one is a reason of its own.
      ...(setupBy === 'config'
        ? []
        : [{ ...part('The setup command', 'command', setup), except: 'install' }]),
      ...(agentBy === 'config' ? [] : [part(`The agent's command`, 'command', argv.slice(0, longest))]),
    ]),
    ...(agentBy !== 'config' && argv.length > longest
      ? [{ rule: 'unread', text: "The agent's command is too long to be read for risky words." }]
      : []),
  ]
}

/** The same reading of a later text, which will stand after `before` (null: alone): a rule may fire on both together. */
export function risksInText(text: string, before: string | null): readonly RiskReason[] {
  const alone = risksIn([part('The text', 'prose', text)])
  if (before === null) return alone
  const known = new Set([...alone, ...risksIn([part('The text', 'prose', before)])].map(({ rule }) => rule))
  const whole = risksIn([part('The text, with what was said before,', 'prose', `${before}\n\n${text}`)])
  return [...alone, ...whole.filter(({ rule }) => !known.has(rule))]
}

function part(what: string, kind: Text['kind'], text: string | null): Part {
  return { what, text: textOf(kind, text ?? '') }
}

/** In the order of the rules; of each one the first finding in every part. */
function risksIn(parts: readonly Part[]): readonly RiskReason[] {
  return wordRules.flatMap((rule) =>
    parts.flatMap(({ what, text, except }) => {
      const found = rule.id === except ? null : wordsFound(rule, text)
      return found === null ? [] : [{ rule: rule.id, text: `${what} says "${found}": ${rule.why}.` }]
    }),
  )
}
