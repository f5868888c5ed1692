import type { Brand } from './brand.ts'

/** Ten lowercase base32 characters (RFC 4648 alphabet), 50 bits of randomness. */
export type TaskId = Brand<string, 'TaskId'>

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Makes a task id from at least ten random bytes; the caller brings the randomness. */
export function taskId(random: Uint8Array): TaskId {
  if (random.length < 10) throw new Error(`a task id needs 10 random bytes, got ${random.length}`)
  return base32(random.subarray(0, 10)) as TaskId
}

/** One lowercase base32 character (RFC 4648 alphabet) for each random byte: 5 bits of it. */
export function base32(random: Uint8Array): string {
  return Array.from(random, (byte) => alphabet[byte & 31]).join('')
}

const passing = 'explain'

/** An id for a look at what a task would get. No task has it, and a sweep takes away what is left under it. */
export function passingId(random: Uint8Array): TaskId {
  return `${passing}${taskId(random).slice(passing.length)}` as TaskId
}

export const isPassing = (id: TaskId): boolean => id.startsWith(passing)

/** The id in `text`, or null where it is none. */
export function parseTaskId(text: string): TaskId | null {
  return /^[a-z2-7]{10}$/.test(text) ? (text as TaskId) : null
}
