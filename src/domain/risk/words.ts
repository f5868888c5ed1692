import { readingsOf } from './reading.ts'
import { onlyTalkedAbout } from './words/about.ts'
import { install } from './words/install.ts'
import { destructive, privilege, remoteCode } from './words/machine.ts'
import { deploy, migration, production } from './words/outside.ts'
import { secret } from './words/secret.ts'
import type { WordRule } from './words/word-rule.ts'

export const wordRules: readonly WordRule[] = [
  install,
  secret,
  deploy,
  migration,
  production,
  remoteCode,
  privilege,
  destructive,
]

/** A text to be read: what a person wrote, or what a shell runs. */
export interface Text {
  readonly kind: 'prose' | 'command'
  readonly readings: readonly string[]
}

export function textOf(kind: Text['kind'], text: string): Text {
  return { kind, readings: readingsOf(text) }
}

/** The first words in a text that a rule is about; null where there are none. */
export function wordsFound(rule: WordRule, { kind, readings }: Text): string | null {
  for (const line of readings)
    for (const pattern of rule[kind]) {
      // `matchAll` makes a copy of the pattern, which takes fifty times as long as to find nothing.
      if (line.search(pattern) === -1) continue
      for (const match of line.matchAll(pattern)) {
        const before = line.slice(Math.max(0, match.index - 100), match.index)
        const talk = kind === 'prose' && (onlyTalkedAbout(before) || rule.careful?.test(before) === true)
        if (!talk) return match[0].trim().slice(0, 80)
      }
    }
  return null
}
