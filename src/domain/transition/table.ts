import type { Input, InputType } from '../input.ts'
import { type Delivery, type Phase, type Status, type Task, workingStatuses as working } from '../task.ts'

/** After so many lost attempts in a row a task fails instead of trying again. */
export const lossCap = 5

/** One row: in `from`, on `on`, when the guard holds, a task goes `to` with `phase`. The first row that fits counts. */
export interface Row {
  readonly from: readonly Status[]
  readonly on: InputType
  readonly when: Guard | null
  readonly to: Status | 'same'
  /** `same` keeps it; `input` takes the one that the input names; `salvage?` is salvage where a box may be left. */
  readonly phase: Phase | null | 'same' | 'input' | 'salvage?'
  /** What the row means, for the docs. */
  readonly note: string
}

export type Guard = keyof typeof guards

const verdict = (input: Input): string =>
  input.type === 'checkpointed' || input.type === 'answered' ? input.verdict.kind : ''

/** The agent made paths that it may not, for the first time: that may be put right in a further step. */
const firstCreated = (task: Task, input: Input): boolean =>
  input.type === 'violated' &&
  input.violations.every((violation) => violation.what === 'created') &&
  task.violations === 0 &&
  task.policy.onViolation === 'retry'

const delivered =
  (...words: readonly Delivery[]) =>
  ({ delivery }: Task): boolean =>
    words.includes(delivery)

/** Those conditions that are about the task alone. */
export const taskGuards = {
  'no question': ({ kind }: Task) => kind !== 'question',
  'not delivered': (task: Task) =>
    task.kind !== 'question' && delivered('none', 'undone', 'conflict', 'rejected', 'pr_closed')(task),
  'being delivered': delivered('delivering'),
  'pull request is open': delivered('pr_open'),
  // Closed by mistake, here or there, it may be opened again there and merged.
  'pull request was opened': delivered('pr_open', 'pr_closed'),
  superseded: delivered('superseded'),
  'not being delivered': (task: Task) => !delivered('delivering')(task),
  // What was there already cannot be taken out.
  'merged by us': (task: Task) =>
    delivered('merged')(task) && task.merge !== null && task.merge.from !== task.merge.commit,
} as const satisfies Record<string, (task: Task) => boolean>

/** Named conditions of the table, so that the docs can print them. */
export const guards = {
  ...taskGuards,
  'first created path, a step is left': (task: Task, input: Input) =>
    firstCreated(task, input) && task.spent.steps + 1 < task.budget.steps,
  'first created path': firstCreated,
  // What a person said in the meantime is for a further step.
  'done, and no test fails': (task: Task, input: Input) =>
    verdict(input) === 'apply' && task.instruction === null,
  'done, nothing changed': (_: Task, input: Input) => verdict(input) === 'no_change',
  'agent says BLOCKED': (_: Task, input: Input) => verdict(input) === 'agent_blocked',
  'no progress in three steps': (_: Task, input: Input) => verdict(input) === 'stuck',
  'steps used up': (_: Task, input: Input) => verdict(input) === 'steps',
  'a question is answered': (_: Task, input: Input) => verdict(input) === 'answer',
  'no answer, and no step is left': (_: Task, input: Input) => verdict(input) === 'no_answer',
  'dependencies changed': (_: Task, input: Input) => verdict(input) === 'setup_changed',
  'lost too often': (task: Task) => task.losses + 1 >= lossCap,
  'being salvaged': ({ phase }: Task) => phase === 'salvage' || phase === 'postponed',
  'already validated or about to be': (_: Task, input: Input) =>
    input.type === 'advanced' && (input.phase === 'test' || input.phase === 'handover'),
} as const satisfies Record<string, (task: Task, input: Input) => boolean>

const halted: readonly Status[] = ['BLOCKED', 'TIMEOUT', 'FAILED', 'STOPPED']

const row = (
  from: readonly Status[],
  on: InputType,
  to: Row['to'],
  phase: Row['phase'],
  note: string,
  when: Guard | null = null,
): Row => ({ from, on, when, to, phase, note })

/** The whole of what a task can do, as data: code, property tests and docs read this one table. */
export const table: readonly Row[] = [
  row(['DRAFT'], 'approved', 'PENDING', null, 'a person agreed to the risks'),
  row(['DRAFT'], 'rejected', 'REJECTED', null, 'final'),
  row(['DRAFT'], 'suggested', 'DRAFT', null, 'the suggestion becomes part of the goal; risks are read again'),
  row(['BLOCKED'], 'rejected', 'REJECTED', 'same', 'final'),

  row(['PENDING'], 'claimed', 'RUNNING', 'salvage', 'what a halt left is kept first', 'being salvaged'),
  row(['PENDING'], 'claimed', 'RUNNING', 'prepare', 'fence + 1'),
  row(
    ['RUNNING'],
    'advanced',
    'VALIDATING',
    'input',
    'after a restart or a resume',
    'already validated or about to be',
  ),
  row(['RUNNING'], 'advanced', 'RUNNING', 'input', 'on to the phase that is named'),
  row(['RUNNING'], 'begun', 'RUNNING', 'same', 'the intent to run a box is on record'),
  row(['VALIDATING'], 'begun', 'VALIDATING', 'same', 'the intent to run a box is on record'),
  row(['RUNNING'], 'agent_finished', 'RUNNING', 'verify', 'the agent box has ended'),
  row(
    ['RUNNING'],
    'violated',
    'RUNNING',
    'agent',
    'reverted; the next prompt says why',
    'first created path, a step is left',
  ),
  row(['RUNNING'], 'violated', 'TIMEOUT', 'salvage', 'reverted; no step is left', 'first created path'),
  row(['RUNNING'], 'violated', 'FAILED', 'salvage', 'reverted; the event names paths and rules'),
  row(
    ['RUNNING'],
    'answered',
    'APPLIED',
    null,
    'the last words of the agent are the answer',
    'a question is answered',
  ),
  row(['RUNNING'], 'answered', 'BLOCKED', null, 'with the reason of the agent', 'agent says BLOCKED'),
  row(['RUNNING'], 'answered', 'FAILED', null, 'with what went wrong', 'no answer, and no step is left'),
  row(['RUNNING'], 'answered', 'RUNNING', 'agent', 'next step'),
  row(['RUNNING'], 'candidate_made', 'VALIDATING', 'test', 'the agent finished inside the policy'),

  row(['VALIDATING'], 'tested', 'VALIDATING', 'checkpoint', 'the test box has ended'),
  row(
    ['VALIDATING'],
    'checkpointed',
    'VALIDATING',
    'handover',
    'the branch goes to the source',
    'done, and no test fails',
  ),
  row(['VALIDATING'], 'checkpointed', 'BLOCKED', null, 'nothing to apply', 'done, nothing changed'),
  row(['VALIDATING'], 'checkpointed', 'BLOCKED', null, 'with the reason of the agent', 'agent says BLOCKED'),
  row(['VALIDATING'], 'checkpointed', 'BLOCKED', null, 'setup must run again', 'dependencies changed'),
  row(['VALIDATING'], 'checkpointed', 'TIMEOUT', null, 'the budget of steps', 'steps used up'),
  row(
    ['VALIDATING'],
    'checkpointed',
    'BLOCKED',
    null,
    'same diff, same failure',
    'no progress in three steps',
  ),
  row(['VALIDATING'], 'checkpointed', 'RUNNING', 'agent', 'next step'),
  row(['VALIDATING'], 'handed_over', 'APPLIED', null, 'the branch holds the work'),

  row(working, 'steered', 'same', 'same', 'the text is in the next prompt', 'no question'),
  row(working, 'noticed', 'same', 'same', 'the gateway denied or found something'),
  row(working, 'budget_spent', 'TIMEOUT', 'salvage?', 'enforced during a step'),
  row(working, 'halted', 'BLOCKED', 'salvage?', 'a person is needed'),
  row(working, 'failed', 'FAILED', 'salvage?', 'not to be mended by another attempt'),
  row(working, 'lost', 'FAILED', 'salvage?', 'lost again and again', 'lost too often'),
  row(['VALIDATING'], 'lost', 'VALIDATING', 'same', 'the candidate is tested again'),
  row(['RUNNING'], 'lost', 'RUNNING', 'same', 'the next attempt of the same step'),
  row(working, 'requeued', 'PENDING', 'salvage', 'what a halt left is kept first', 'being salvaged'),
  row(working, 'requeued', 'PENDING', null, 'the control plane ended or was restarted'),

  row(['DRAFT', 'BLOCKED'], 'stopped', 'STOPPED', 'same', 'the state first'),
  row(['PENDING', ...working], 'stopped', 'STOPPED', 'salvage?', 'the state first, then the box'),
  row(['PENDING', ...working], 'paused', 'BLOCKED', 'salvage?', 'what is allowed is kept'),
  row(halted, 'resumed', 'PENDING', 'same', 'budget already spent stays spent'),
  row(['RUNNING'], 'salvaged', 'RUNNING', 'prepare', 'goes on after a resume', 'being salvaged'),
  row(working, 'postponed', 'BLOCKED', 'postponed', 'no room on the disk', 'being salvaged'),
  row([...halted, 'REJECTED'], 'postponed', 'same', 'postponed', 'no room on the disk', 'being salvaged'),
  row(
    [...halted, 'REJECTED', 'PENDING'],
    'salvaged',
    'same',
    null,
    'what is allowed is kept',
    'being salvaged',
  ),
  row(
    [...halted, 'APPLIED', 'REJECTED'],
    'discarded',
    'same',
    null,
    'only now undelivered work is removed',
    'not being delivered',
  ),
  row([...halted, 'APPLIED', 'REJECTED'], 'put_away', 'same', 'same', 'what is old and not work is removed'),

  row(['APPLIED'], 'merge_decided', 'same', 'merge', 'the work is to go into a branch', 'not delivered'),
  row(['APPLIED'], 'merge_advanced', 'same', 'input', 'on to the phase that is named', 'being delivered'),
  row(['APPLIED'], 'merge_begun', 'same', 'same', 'the intent to run a box is on record', 'being delivered'),
  row(['APPLIED'], 'merge_overtaken', 'same', 'merge', 'begins again', 'being delivered'),
  row(['APPLIED'], 'merged', 'same', null, 'the branch holds the work', 'being delivered'),
  row(['APPLIED'], 'merge_refused', 'same', null, 'the branch is as it was', 'being delivered'),
  row(['APPLIED'], 'undo_decided', 'same', 'undo', 'the branch is to go back', 'merged by us'),
  row(['APPLIED'], 'undone', 'same', null, 'the branch is where it was before', 'being delivered'),
  row(['APPLIED'], 'undo_refused', 'same', null, 'somebody has moved the branch since', 'being delivered'),
  row(['APPLIED'], 'pull_decided', 'same', 'push', 'the work is to be proposed elsewhere', 'not delivered'),
  row(['APPLIED'], 'pull_pushed', 'same', 'pull_open', 'the branch is there', 'being delivered'),
  row(['APPLIED'], 'pull_opened', 'same', null, 'people there decide', 'being delivered'),
  row(['APPLIED'], 'pull_refused', 'same', null, 'there is no pull request', 'being delivered'),
  row(
    ['APPLIED'],
    'pull_looked',
    'same',
    'same',
    'whether it is followed is on record',
    'pull request is open',
  ),
  row(['APPLIED'], 'pull_merged', 'same', null, 'people there took it', 'pull request was opened'),
  row(['APPLIED'], 'pull_closed', 'same', null, 'people there did not take it', 'pull request is open'),
  row(['APPLIED'], 'reviewed', 'same', 'same', 'what is said is on record', 'not delivered'),
  row(['APPLIED'], 'review_withdrawn', 'same', 'same', 'no task is made for what it said', 'not delivered'),
  row(['APPLIED'], 'superseded', 'same', 'same', 'another task changes the work', 'not delivered'),
  row(['APPLIED'], 'given_back', 'same', 'same', 'that task is rejected or discarded', 'superseded'),
]
