import type { Input } from './input.ts'

const command = /`cofferdam ([^`\n]+)`/g

/**
 * A sentence of the control plane with the commands in it as somebody gives them where it is shown.
 * @param told a command there, by its words behind `cofferdam`; null where it stays as it is
 */
export function retold(text: string, told: (words: string) => string | null): string {
  return text.replaceAll(command, (whole, words: string) => told(words) ?? whole)
}

const ownWords: readonly string[] = [
  'suggested',
  'steered',
  'resumed',
  'stopped',
  'rejected',
  'reviewed',
  'superseded',
  'answered',
] satisfies readonly Input['type'][]

/**
 * The sentence of an event with the commands in it as they are given where it is shown. What a person or an agent has said stands
 * everywhere as it was said, commands and all; but the dash of the first comment of a review is no word of it.
 */
export function toldEvent(
  { type, text }: { readonly type: string; readonly text: string },
  respell: (text: string) => string,
): string {
  if (type === 'reviewed') return text.replace(/^Reviewed: - /, 'Reviewed: ')
  return ownWords.includes(type) ? text : respell(text)
}
