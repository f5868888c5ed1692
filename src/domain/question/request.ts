import { z } from 'zod'
import {
  type ParsedBy,
  parsedBy,
  readDraft,
  budgetRequestSchema,
  longestGoal,
  startFields,
  wellFormed,
} from '../intake.ts'
import { policyRequestSchema } from '../policy-request.ts'
import { taskIdSchema } from '../schemas.ts'

/** What every entry hands in that asks a question about a repository: a task of its own kind, without setup and test. */
export const questionRequestSchema = z
  .strictObject({
    question: z
      .string('The question is missing: say in a sentence what you want to know.')
      .max(
        longestGoal,
        'The question is longer than 20,000 characters: put the details into a file and name it.',
      )
      .refine(
        (text) => !text.includes('\0'),
        'The question cannot be read. It holds a NUL character: remove it.',
      )
      .overwrite(wellFormed),
    ...startFields,
    /** Of a follow-up it is that of the question before it, and is not named again. */
    repository: startFields.repository.nullable().default(null),
    /** What is not named is as configured, but for the steps: one. */
    budget: budgetRequestSchema.default({}),
    /** Asked as a draft: wants a person's approval whatever the risk. */
    draft: z.boolean('"draft" is true or false.').default(false),
    policy: policyRequestSchema.nullable().default(null),
    /** The question that this one follows up: the agent goes on with that conversation. */
    followUp: taskIdSchema.nullable().default(null),
  })
  .transform(({ question, ...request }) => {
    const { goal, draft } = readDraft(question, request.draft)
    return { ...request, question: goal, draft }
  })
  .superRefine(({ question, repository, followUp }, context) => {
    const say = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message })
    }
    if (question === '') say('question', 'The question is empty: say in a sentence what you want to know.')
    if (repository === null && followUp === null)
      say('repository', 'The repository is missing: give the path of a git repository.')
    if (repository !== null && followUp !== null)
      say(
        'repository',
        'A follow-up is about the repository of the question before it: leave the repository out.',
      )
  })
export type QuestionRequest = z.output<typeof questionRequestSchema>

/** Reads what an entry was given; every problem is a sentence for people. */
export function parseQuestionRequest(input: unknown): ParsedBy<QuestionRequest> {
  return parsedBy(questionRequestSchema, input, 'question')
}
