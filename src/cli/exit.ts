import type { FailureCode } from '../domain/failure.ts'
import type { HaltReason, Status, Task } from '../domain/task.ts'

/** The exit codes, in one place; `--help` prints this list. */
const exits = {
  done: [0, 'done; for a task: APPLIED'],
  bug: [1, 'a bug of cofferdam: please report it'],
  usage: [2, 'the command, its input or the configuration is wrong'],
  person: [3, 'a person is needed: DRAFT or BLOCKED, or a delivery that did not come about'],
  failed: [4, 'FAILED; for verify: something is not as it was attested'],
  timeout: [5, 'TIMEOUT: a budget is used up'],
  stopped: [6, 'STOPPED or REJECTED'],
  environment: [
    7,
    'engine, image or disk, also where one of them halted a task; database, data folder or server',
  ],
  interrupted: [
    130,
    'left by Ctrl-C: from watching by the first; else by the second, as the first asks the task to stop',
  ],
  terminated: [143, 'ended by SIGTERM; the task can be taken up again'],
} as const satisfies Record<string, readonly [number, string]>

export type Exit = keyof typeof exits

export const exitCode = (exit: Exit): number => exits[exit][0]

const ofStatus = {
  APPLIED: 'done',
  DRAFT: 'person',
  BLOCKED: 'person',
  FAILED: 'failed',
  TIMEOUT: 'timeout',
  STOPPED: 'stopped',
  REJECTED: 'stopped',
  // What follows a task does not end in these; they stand here so that the table is whole.
  PENDING: 'done',
  RUNNING: 'done',
  VALIDATING: 'done',
} as const satisfies Record<Status, Exit>

/** What is to be mended outside the task, whatever its state is called. */
const outside: ReadonlySet<HaltReason | undefined> = new Set<HaltReason>(['engine', 'image', 'disk'])

/** It was to be delivered, and was not. */
const cameToNothing = ({ merge, pull, delivery }: Task): boolean =>
  (merge !== null || pull !== null) && ['none', 'conflict', 'rejected'].includes(delivery)

export const exitOf = (task: Task): Exit => {
  if (outside.has(task.halt?.reason)) return 'environment'
  return cameToNothing(task) ? 'person' : ofStatus[task.status]
}

const ofFailure = {
  bad_request: 'usage',
  bad_config: 'usage',
  not_found: 'usage',
  not_allowed: 'usage',
  unauthorized: 'usage',
  too_many: 'environment',
  server: 'environment',
  conflict: 'usage',
  repository: 'usage',
  data_folder: 'environment',
  database: 'environment',
  remote: 'environment',
  engine: 'environment',
  image: 'environment',
  worktree: 'environment',
  disk: 'environment',
  busy: 'environment',
} as const satisfies Record<FailureCode, Exit>

export const exitOfFailure = (code: FailureCode): Exit => ofFailure[code]

/** The table for `--help`. */
export function exitHelp(): string {
  const rows = Object.values(exits).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`)
  return ['Exit codes:', ...rows].join('\n')
}
