import { z } from 'zod'

/** Tokens of one call or of a whole step. A box may print any number; a sum of these is still one that can be stored. */
export const tokenCount = z.int().nonnegative().max(1e12)

/** What a program calls its conversation: a word of an argument list later, so nothing that could be an option. */
const sessionId = /^[A-Za-z0-9][\w-]{0,127}$/

/** The id of a conversation; null for what can be none. */
export function sessionOf(text: string | null | undefined): string | null {
  return text != null && sessionId.test(text) ? text : null
}

/** A line of JSON that is an object of this shape; null where it is anything else. */
export function lineOf<T>(schema: z.ZodType<T>, line: string): T | null {
  if (!line.startsWith('{')) return null
  try {
    const parsed = schema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/** The lines that are no JSON: what the program, or what ran it, says outside of its protocol. */
export function plainLines(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{'))
}
