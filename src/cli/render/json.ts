import { jsonText } from '../../domain/text.ts'

/** JSON in a line of its own. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`
}
