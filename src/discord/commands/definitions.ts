import { ApplicationCommandOptionType, type RESTPutAPIApplicationGuildCommandsJSONBody } from 'discord.js'
import { longestBranch } from '../../domain/delivery/merge.ts'
import type { PullEnd } from '../../domain/delivery/pull.ts'

const { String: text, Integer: whole, Number: number, Boolean: yes } = ApplicationCommandOptionType

const task = {
  type: text,
  name: 'task',
  description: 'Which task',
  required: true,
  autocomplete: true,
} as const
const step = {
  type: whole,
  name: 'step',
  description: 'Of this step alone',
  min_value: 0,
  max_value: 100,
} as const
const accepted = {
  type: text,
  name: 'accept',
  description: 'The marks of the work that you accept, such as ci, lockfile',
  max_length: 200,
} as const
const budget = [
  { type: whole, name: 'steps', description: 'How many steps in all', min_value: 1, max_value: 100 },
  {
    type: number,
    name: 'minutes',
    description: 'How many minutes of boxes in all',
    min_value: 0.1,
    max_value: 1440,
  },
] as const

const command = (
  name: string,
  description: string,
  ...options: NonNullable<
    RESTPutAPIApplicationGuildCommandsJSONBody[number] extends infer C
      ? C extends { options?: infer O }
        ? O
        : never
      : never
  >
) => ({ name, description, options })

/** Every command there is. Who may use which is decided at each use, not here. */
export const commands = [
  command(
    'task_start',
    'Have an agent work on a goal',
    { type: text, name: 'goal', description: 'What is to be done', required: true, max_length: 6000 },
    {
      type: text,
      name: 'repository',
      description: 'Where; needed where several are configured',
      autocomplete: true,
    },
    { type: text, name: 'agent', description: 'Which agent; else the configured one', autocomplete: true },
    { type: text, name: 'test', description: 'A command that decides whether it is done', max_length: 2000 },
    ...budget,
    { type: yes, name: 'draft', description: 'Ask before it runs, whatever the risk' },
  ),
  command('task_status', 'How a task stands', task),
  command('task_list', 'The newest tasks', {
    type: text,
    name: 'state',
    description: 'Only those',
    choices: [
      { name: 'needs you', value: 'needs' },
      { name: 'running or queued', value: 'running' },
      { name: 'applied', value: 'applied' },
    ],
  }),
  command('task_approve', 'Run a draft as it was shown here last', task),
  command('task_reject', 'End a draft or a blocked task for good', task, {
    type: text,
    name: 'reason',
    description: 'Why',
    max_length: 2000,
  }),
  command(
    'task_suggest',
    'Add to a draft, go on with a halted task, tell an agent something, or have applied work changed',
    task,
    {
      type: text,
      name: 'text',
      description: 'What to do differently',
      required: true,
      max_length: 4000,
    },
  ),
  command(
    'task_resume',
    'Go on with a halted task',
    task,
    { type: text, name: 'instruction', description: 'A word for the agent', max_length: 4000 },
    ...budget,
    { type: whole, name: 'tokens', description: 'How many tokens of models in all', min_value: 1 },
    { type: number, name: 'cost', description: 'How many US dollars for models in all', min_value: 0.01 },
  ),
  command('task_stop', 'End a task; its work so far is kept', task),
  command('task_pause', 'Halt a task; /task_resume goes on', task),
  command(
    'task_merge',
    'Merge the work of an applied task into a branch, once what comes of it was tested',
    task,
    { type: text, name: 'into', description: 'The branch; else the usual one', max_length: longestBranch },
    {
      type: text,
      name: 'how',
      description: 'Else as configured',
      choices: [
        { name: 'a commit of its own', value: 'merge' },
        { name: 'just move the branch forward', value: 'fast-forward' },
        { name: 'as one commit', value: 'squash' },
      ],
    },
    accepted,
  ),
  command(
    'task_pull_request',
    'Push the work of an applied task, and propose it as a pull request',
    task,
    {
      type: text,
      name: 'into',
      description: 'The branch there; else the usual one',
      max_length: longestBranch,
    },
    { type: yes, name: 'draft', description: 'Else as configured' },
    accepted,
  ),
  command('task_pull_ended', 'Say what became of a pull request, where its forge cannot be asked', task, {
    type: text,
    name: 'as',
    description: 'What has become of it there',
    required: true,
    choices: [
      { name: 'merged there', value: 'merged' },
      { name: 'closed there, and not merged', value: 'closed' },
    ] satisfies readonly { name: string; value: PullEnd }[],
  }),
  command('task_undo', 'Put a branch back to where it was before a merge', task),
  command('task_discard', 'Throw the undelivered work of a task away', task),
  command('task_withdraw', 'Take back what was said in a review, before a task is made for it', task, {
    type: whole,
    name: 'review',
    description: 'Its number; with one that is none you are told those that there are',
    required: true,
    min_value: 1,
  }),
  command('task_logs', 'What the boxes of a task printed', task, step),
  command('task_changes', 'The diff of a task', task, step, {
    type: text,
    name: 'against',
    description: 'A branch: what a merge would change in it now',
    max_length: longestBranch,
  }),
  command('schedule_list', 'The schedules, and when they run next'),
  command('schedule_run', 'Run a schedule now', {
    type: text,
    name: 'schedule',
    description: 'Which one',
    required: true,
    autocomplete: true,
  }),
  command('search', 'Find tasks by what was said, done, printed or changed', {
    type: text,
    name: 'words',
    description: 'What you remember',
    required: true,
  }),
  command(
    'ask',
    'Ask a question about a repository; nothing is changed',
    {
      type: text,
      name: 'question',
      description: 'What you want to know',
      required: true,
      max_length: 6000,
    },
    {
      type: text,
      name: 'repository',
      description: 'Where; needed where several are configured',
      autocomplete: true,
    },
    { type: text, name: 'agent', description: 'Which agent; else the configured one', autocomplete: true },
    {
      type: text,
      name: 'follow_up',
      description: 'The question whose conversation goes on',
      autocomplete: true,
    },
  ),
  command('doctor', 'Whether all is well with the engine, the disk and this connection'),
] satisfies RESTPutAPIApplicationGuildCommandsJSONBody
