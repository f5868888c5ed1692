import type { z } from 'zod'

/**
 * What is wrong with a value, in words of people rather than of a library; it follows the name of what it is about. Undefined for what
 * has words of its own.
 */
export function issueWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `is missing, and has to be ${kindOf(issue.expected)}`
      return `has to be ${kindOf(issue.expected)}, and is ${foundIn(issue.input)}`
    case 'invalid_value':
      return `has to be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'too_small':
      return `has to ${sized(issue.origin, issue.inclusive === false ? 'more than' : 'at least', Number(issue.minimum))}`
    case 'too_big':
      return `has to ${sized(issue.origin, issue.inclusive === false ? 'less than' : 'at most', Number(issue.maximum))}`
    case 'invalid_union':
      return issue.input === undefined
        ? 'is missing'
        : `is nothing of what it may be, but ${foundIn(issue.input)}`
    case 'unrecognized_keys':
      return `may not have ${issue.keys.map((key) => JSON.stringify(key)).join(' or ')}`
    case 'invalid_key':
      // What is wrong with a name as a name: it has words of its own.
      return issue.issues[0]?.message
    default:
      return undefined
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object with keys',
  record: 'an object with keys',
  null: 'nothing',
}

const kindOf = (expected: string): string => kinds[expected] ?? expected

function foundIn(input: unknown): string {
  if (input === null) return 'nothing'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'number') return Number.isFinite(input) ? String(input) : 'no number'
  return typeof input === 'boolean' ? String(input) : kindOf(typeof input)
}

function sized(origin: string, than: string, limit: number): string {
  if (origin === 'string') return `have ${than} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array' || origin === 'set')
    return `have ${than} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `be ${than} ${limit}`
}
