import { z } from 'zod'
import { longestBranch, tooLongBranch } from './delivery/merge.ts'
import { policyRequestSchema } from './policy-request.ts'
import { repositoryPlace } from './remote.ts'

// What every entry (command line, HTTP, chat, schedule) hands in. One sentence per problem, with what to do.

const noNul = (text: string): boolean => !text.includes('\0')
const nul = 'It holds a NUL character: remove it.'
/** Half a character that stands alone is not kept as it is anywhere: the same text is to be run, shown and hashed. */
export const wellFormed = (text: string): string => text.toWellFormed()

const goal = z
  .string('The goal is missing: say in a sentence what should be done.')
  .refine(noNul, `The goal cannot be read. ${nul}`)
  .overwrite(wellFormed)

const command = (what: string): z.ZodType<string | null> =>
  z
    .string(`The ${what} command has to be text, run by a shell, such as "npm ${what}".`)
    .max(
      10_000,
      `The ${what} command is longer than 10,000 characters: put it in a script of the repository.`,
    )
    .refine(noNul, `The ${what} command cannot be read. ${nul}`)
    .overwrite(wellFormed)
    .transform((text) => text.trim() || null)
    .nullable()

const agent = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,30}$/, 'The agent has to be a name such as "command", in lowercase letters.'),
    argv: z
      .array(
        z
          .string()
          .max(100_000, 'An argument of the agent is longer than 100,000 characters.')
          .refine(noNul, nul)
          .overwrite(wellFormed),
      )
      .max(1000, 'The agent has more than 1,000 arguments: put them in a script of the repository.')
      .default([]),
  })
  .refine((choice) => choice.name !== 'command' || (choice.argv[0] ?? '') !== '', {
    error:
      'The agent "command" needs a program to run: give it after "--", such as "-- python3 tools/fix.py".',
  })

const steps = z
  .int('The number of steps has to be a whole number from 1 to 100.')
  .min(1, 'A task needs at least 1 step: give a number from 1 to 100.')
  .max(100, 'A task has at most 100 steps: give a number from 1 to 100.')
const minutes = z
  .number('The time budget has to be a number of minutes, up to 1,440.')
  .positive('The time budget has to be more than 0 minutes, and at most 1,440.')
  .max(1440, 'A task has at most 1,440 minutes (24 hours).')

const tokens = z
  .int('The token budget has to be a whole number.')
  .min(1, 'The token budget has to be at least 1.')
  .max(1e12, 'The token budget has to be at most a million millions.')
const cost = z
  .number('The cost budget has to be a number of US dollars.')
  .positive('The cost budget has to be more than 0 US dollars.')
  .max(1e6, 'The cost budget has to be at most a million US dollars.')

/** What a person asks for in numbers; absent is the configured default. */
export const budgetRequestSchema = z.strictObject({
  steps: steps.optional(),
  minutes: minutes.optional(),
  /** Of the models that the agents ask, in and out. */
  tokens: tokens.optional(),
  /** US dollars. */
  cost: cost.optional(),
})
export type BudgetRequest = z.output<typeof budgetRequestSchema>

/** Where work begins, and who does it: the same for a task and for a question. */
export const startFields = {
  /** Absolute path of a git repository, or the name of one that the configuration gives by URL. */
  repository: z
    .string('The repository is missing: give the path of a git repository.')
    .max(4096, 'The path of the repository is longer than any path can be.')
    .refine(noNul, `The path of the repository cannot be read. ${nul}`)
    .regex(
      repositoryPlace,
      'The repository has to be an absolute path, such as /home/me/project, or its name in the configuration.',
    ),
  /** Branch, tag or commit to start from; null is what is checked out. */
  ref: z
    .string()
    .max(longestBranch, `The ref ${tooLongBranch}, a tag or a commit.`)
    .refine(
      (ref) => /^[^\s\p{Cc}\\:?*[]+$/u.test(ref) && !/^-|\.\.|@\{/.test(ref),
      'The ref is not one that git takes: name a branch, a tag or a commit.',
    )
    .nullable()
    .default(null),
  /** Null is the configured agent. */
  agent: agent.nullable().default(null),
}

export const taskRequestSchema = z
  .strictObject({
    goal,
    ...startFields,
    /** A shell command; absent is the repository's configured one, null none. */
    setup: command('setup').optional(),
    test: command('test').optional(),
    budget: budgetRequestSchema.default({}),
    /** Asked as a draft: wants a person's approval whatever the risk. */
    draft: z.boolean('"draft" is true or false.').default(false),
    policy: policyRequestSchema.nullable().default(null),
  })
  .transform((request) => ({ ...request, ...readDraft(request.goal, request.draft) }))
  .superRefine((request, context) => {
    const problem = goalProblem(request.goal)
    if (problem !== null) context.addIssue({ code: 'custom', path: ['goal'], message: problem })
  })
export type TaskRequest = z.output<typeof taskRequestSchema>

export type ParsedBy<Request> =
  | { readonly ok: true; readonly request: Request }
  | { readonly ok: false; readonly problems: readonly string[] }
export type ParsedRequest = ParsedBy<TaskRequest>

/** Reads what an entry was given; every problem is a sentence for people. */
export function parseTaskRequest(input: unknown): ParsedRequest {
  return parsedBy(taskRequestSchema, input, 'task')
}

/** @param what a request of this schema is, in a word */
export function parsedBy<Request>(
  schema: z.ZodType<Request>,
  input: unknown,
  what: 'task' | 'question',
): ParsedBy<Request> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return { ok: true, request: parsed.data }
  return { ok: false, problems: parsed.error.issues.map((issue) => problemOf(issue, what)) }
}

/** One issue of a request as a sentence: our own as they are, zod's with the place they are about. */
function problemOf(issue: z.core.$ZodIssue, what: 'task' | 'question'): string {
  const place = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${key}"`).join(', ')
    return `A ${what} knows nothing named ${keys}${place && ` in "${place}"`}: remove it or correct the spelling.`
  }
  if (/[.:]$/.test(issue.message)) return issue.message
  const parts = what === 'task' ? 'a goal' : 'a question'
  return place === ''
    ? `A ${what} is an object with ${parts} and a repository.`
    : `"${place}": ${issue.message}.`
}

export const longestGoal = 20_000

function goalProblem(text: string): string | null {
  if (text === '') return 'The goal is empty: say in a sentence what should be done.'
  if (text.length <= longestGoal) return null
  return 'The goal is longer than 20,000 characters: put the details into a file of the repository and name it.'
}

/** `draft: …` and `草稿：…` ask for a draft; the prefix is no part of the goal. */
export function readDraft(text: string, asked: boolean): { goal: string; draft: boolean } {
  const prefix = /^\s*(?:draft|草稿)\s*[:：]/i.exec(text)
  return { goal: text.slice(prefix?.[0].length ?? 0).trim(), draft: asked || prefix !== null }
}
