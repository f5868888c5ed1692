import type { Input } from './input.ts'
import type { TaskEvent } from './task.ts'

// Browsers run this file too: it imports types alone.

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

/** Whether an event tells what a person or an agent has said: that stands everywhere as it was said, commands and all. */
export function hasOwnWords({ type }: Pick<TaskEvent, 'type'>): boolean {
  return ownWords.includes(type)
}
