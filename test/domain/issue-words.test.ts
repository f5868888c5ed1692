import { expect, it } from 'vitest'
import { z } from 'zod'
import { issueWords } from '../../src/domain/issue-words.ts'

it.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing, and has to be text'],
  [z.string(), null, 'has to be text, and is nothing'],
  [z.object({}), [], 'has to be an object with keys, and is a list'],
  [z.record(z.string(), z.string()), 'x', 'has to be an object with keys, and is text'],
  [z.number(), 'lots', 'has to be a number, and is text'],
  [z.number(), NaN, 'has to be a number, and is no number'],
  [z.int(), 1.5, 'has to be a whole number, and is 1.5'],
  [z.boolean(), {}, 'has to be true or false, and is an object with keys'],
  [z.array(z.string()), true, 'has to be a list, and is true'],
  [z.enum(['a', 'b']), 'c', 'has to be "a" or "b"'],
  [z.literal(true), 1, 'has to be true'],
  [z.int().min(1), 0, 'has to be at least 1'],
  [z.number().gt(0), 0, 'has to be more than 0'],
  [z.number().max(5), 6, 'has to be at most 5'],
  [z.string().min(1), '', 'has to have at least 1 character'],
  [z.array(z.string()).max(2), ['a', 'b', 'c'], 'has to have at most 2 entries'],
  [z.union([z.string(), z.number()]), [], 'is nothing of what it may be, but a list'],
  [z.union([z.string(), z.number()]), undefined, 'is missing'],
  [z.strictObject({}), { a: 1, b: 2 }, 'may not have "a" or "b"'],
  [z.record(z.string().regex(/x/, 'A name has an x.'), z.number()), { y: 1 }, 'A name has an x.'],
  [z.string('Say it.'), 1, 'Say it.'],
  [z.string().regex(/x/, 'has to have an x'), 'y', 'has to have an x'],
])('%#: what is wrong with it is said in plain words', (schema, value, words) => {
  const before = z.config().customError
  z.config({ customError: issueWords })
  try {
    expect(schema.safeParse(value).error?.issues.map(({ message }) => message)).toEqual([words])
  } finally {
    z.config(before === undefined ? { customError: undefined } : { customError: before })
  }
})
