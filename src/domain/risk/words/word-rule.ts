import { about } from './about.ts'

/**
 * Words that make a text risky, with the reason why. Patterns are read on lines of one case without accents, and match
 * words, not letters inside other words.
 */
export interface WordRule {
  readonly id: string
  /** The end of the sentence `The goal says "…": ` */
  readonly why: string
  /** For what people write. */
  readonly prose: readonly RegExp[]
  /** For what a shell runs: there nothing is only talked about. */
  readonly command: readonly RegExp[]
  /** What stands before words that are only talked about, such as `redact ` before `credentials`. */
  readonly careful?: RegExp
}

interface Words {
  readonly id: string
  readonly why: string
  /** `about`: the end of a pattern whose words may be followed by what they are only about; nothing in a command. */
  readonly patterns: (about: string) => readonly RegExp[]
  /** Further words that mean this in a command alone. */
  readonly commands?: readonly RegExp[]
  readonly careful?: RegExp
}

export function wordRule({ id, why, patterns, commands = [], careful }: Words): WordRule {
  const prose = patterns(about)
  const command = [...patterns(''), ...commands]
  return { id, why, prose, command, ...(careful === undefined ? {} : { careful }) }
}

/** A program and its verb; options may stand between them, as in `npm --silent install`. */
export function verbOf(programs: string, verbs: string, end = ''): RegExp {
  return new RegExp(`(?<![\\w-])(?:${programs})(?: -\\S+){0,4} (?:${verbs})\\b(?!-)${end}`, 'g')
}

// Up to five words that belong to the thing: not those that begin another part of the sentence.
const link =
  'that|which|when|where|whether|while|for|and|or|to|in|with|without|so|if|because|after|before|from|by|on|how|as|is|are|was'
const ofIt = `(?: all of)?(?: (?!(?:${link})\\b)[\\w./@'"-]+){0,5}? `

/** A verb and what it acts on. */
export function actsOn(verbs: string, things: string, end = ''): RegExp {
  return new RegExp(`(?<![\\w./-])(?:${verbs})${ofIt}["']?(?:${things})(?![\\w-])${end}`, 'g')
}

/** The same in Chinese: in one clause and not far. */
export function hanOn(verbs: string, things: string, end = ''): RegExp {
  return new RegExp(`(?:${verbs})[^。，,；;！!？?]{0,12}?(?:${things})${end}`, 'g')
}
