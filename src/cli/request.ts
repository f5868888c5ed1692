import { resolve } from 'node:path'
import { Failure } from '../domain/failure.ts'
import { parseTaskRequest, type TaskRequest } from '../domain/intake.ts'
import { parseQuestionRequest, type QuestionRequest } from '../domain/question/request.ts'

/** What `run` and `explain` take. */
export interface TaskOptions {
  readonly repo?: string
  readonly goal?: string
  readonly ref?: string
  readonly setup?: string
  readonly test?: string
  readonly agent?: string
  readonly steps?: string
  readonly minutes?: string
  readonly tokens?: string
  readonly cost?: string
  readonly draft?: true
  readonly deny?: readonly string[]
  readonly readonly?: readonly string[]
  readonly allow?: readonly string[]
  readonly egress?: readonly string[]
}

/** Makes a request of a command line. Throws `Failure('bad_request')` with all that is wrong. */
export function requestOf(options: TaskOptions, argv: readonly string[], cwd: string): TaskRequest {
  const parsed = parseTaskRequest({
    goal:
      options.goal ??
      refuse('Say what should be done: --goal TEXT, or --goal - to read it from standard input.'),
    repository: repository(options.repo, cwd),
    ref: options.ref ?? null,
    agent: agent(options.agent, argv),
    ...(options.setup === undefined ? {} : { setup: options.setup }),
    ...(options.test === undefined ? {} : { test: options.test }),
    budget: budgetNumbers(options),
    draft: options.draft ?? false,
    policy: policy(options),
  })
  return parsed.ok ? parsed.request : refuse(parsed.problems.join(' '))
}

/** What `ask` takes. */
export interface QuestionOptions extends Omit<TaskOptions, 'goal' | 'setup' | 'test' | 'readonly' | 'allow'> {
  readonly followUp?: string
}

/** Makes a question of a command line. Throws `Failure('bad_request')` with all that is wrong. */
export function questionOf(
  question: string,
  options: QuestionOptions,
  argv: readonly string[],
  cwd: string,
): QuestionRequest {
  const { followUp = null } = options
  const here = followUp === null ? '.' : undefined
  const path = options.repo ?? here
  const parsed = parseQuestionRequest({
    question,
    repository: path === undefined ? null : repository(path, cwd),
    ref: options.ref ?? null,
    agent: agent(options.agent, argv),
    budget: budgetNumbers(options),
    draft: options.draft ?? false,
    policy: policy(options),
    followUp,
  })
  return parsed.ok ? parsed.request : refuse(parsed.problems.join(' '))
}

/** The parts of a budget that a command line names, as numbers. */
export function budgetNumbers(
  options: Pick<TaskOptions, 'steps' | 'minutes' | 'tokens' | 'cost'>,
): Readonly<Record<string, number>> {
  const { steps, minutes, tokens, cost } = options
  const given = Object.entries({ steps, minutes, tokens, cost }).filter(([, text]) => text !== undefined)
  return Object.fromEntries(given.map(([name, text]) => [name, Number(text)]))
}

function repository(path: string | undefined, cwd: string): string {
  if (path === undefined || path === '') {
    return refuse('Say which repository: --repo PATH, or --repo . for the one of this folder.')
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/|^[^/\s]+@[^/\s]+:/i.test(path)) {
    return refuse(`${path} is an address: clone it first and give the path of the clone.`)
  }
  return resolve(cwd, path)
}

function agent(name: string | undefined, argv: readonly string[]): unknown {
  if (name === undefined) return argv.length === 0 ? null : { name: 'command', argv }
  if (name !== 'command' && argv.length > 0) {
    return refuse(`What follows "--" is the program of the agent "command"; the agent "${name}" takes none.`)
  }
  return { name, argv }
}

function policy({
  deny = [],
  readonly = [],
  allow = [],
  egress = [],
}: Pick<TaskOptions, 'deny' | 'readonly' | 'allow' | 'egress'>): unknown {
  const lists = { deny, readonly, allow, egress }
  return Object.values(lists).every((list) => list.length === 0) ? null : lists
}

function refuse(message: string): never {
  throw new Failure('bad_request', message)
}
