import type { Task } from './task.ts'

/** What every task has before anything of it was done. */
export const unbegun = {
  phase: null,
  halt: null,
  version: 1,
  revision: 1,
  fence: 0,
  leaseUntil: null,
  spent: { steps: 0, ms: 0, tokens: 0, costUsd: 0 },
  step: 0,
  attempt: 0,
  violations: 0,
  losses: 0,
  instruction: null,
  priorFailure: null,
  baseline: null,
  setupKey: null,
  progress: { signature: '', repeats: 0 },
  outcome: null,
  marks: null,
  answer: null,
  delivery: 'none',
  merge: null,
  pull: null,
} as const satisfies Partial<Task>
