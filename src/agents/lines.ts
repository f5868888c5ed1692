import type { z } from 'zod'

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
