import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { letterSchema, lettersSchema } from '../../src/domain/answers.ts'
import { letterStates } from '../../src/domain/outbox/letter.ts'
import { taskIdSchema } from '../../src/domain/schemas.ts'
import { json, refusals, type Routes } from './contract.ts'
import { numberCursor } from './cursor.ts'
import { count } from './input.ts'

const letterPath = z.object({
  id: z
    .string()
    .regex(/^msg_[a-z2-7]{20}$/, {
      error: ({ input }) => `There is no letter ${String(input)}: an id is msg_ and 20 characters.`,
    })
    .meta({ description: 'The id of a letter, which is its webhook-id too.' }),
})

const stateList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(letterStates)).min(1))
  .exactOptional()
  .meta({
    type: 'string',
    description: 'Letters of these states; several are separated by commas.',
    pattern: `^(${letterStates.join('|')})(,(${letterStates.join('|')}))*$`,
  })

const list = createRoute({
  method: 'get',
  path: '/v1/outbox',
  summary: 'What destinations are told of tasks, newest first',
  request: {
    query: z.strictObject({
      state: stateList,
      destination: z.string().exactOptional().meta({ description: 'To this one, as `webhook:<name>`.' }),
      task: taskIdSchema.exactOptional(),
      limit: count(1, 1000, 50),
      cursor: numberCursor,
    }),
  },
  responses: { 200: json(lettersSchema, 'Letters that are dead stay until somebody acts on them.') },
})

const show = createRoute({
  method: 'get',
  path: '/v1/outbox/{id}',
  summary: 'One letter',
  request: { params: letterPath },
  responses: { 200: json(letterSchema, 'With what is sent, and why it was not taken.'), ...refusals(404) },
})

const actOf = (act: 'retry' | 'discard', summary: string) =>
  createRoute({
    method: 'post',
    path: `/v1/outbox/{id}/${act}`,
    summary,
    request: { params: letterPath },
    responses: { 200: json(letterSchema, 'The letter as it is now.'), ...refusals(403, 404, 409) },
  })
const retry = actOf('retry', 'Have a letter tried again at once, with all its attempts')
const discard = actOf('discard', 'Give a letter up, so that those behind it go on')

/** The outbox, for people whose webhooks did not arrive. */
export function outboxRoutes({ app, plane, caller }: Routes): void {
  app.openapi(list, (context) => {
    const { state, cursor, limit, ...filter } = context.req.valid('query')
    const letters = plane.outbox.letters({
      ...filter,
      limit: limit + 1,
      ...(state === undefined ? {} : { states: state }),
      ...(cursor === undefined ? {} : { before: Number(cursor) }),
    })
    const page = letters.slice(0, limit)
    const next = letters.length > limit ? String(page.at(-1)?.seq) : null
    return context.json({ letters: [...page], next }, 200)
  })
  app.openapi(show, (context) => context.json(plane.outbox.letter(context.req.valid('param').id), 200))
  app.openapi(retry, (context) =>
    context.json(plane.outbox.act(context.req.valid('param').id, 'retry', caller(context)), 200),
  )
  app.openapi(discard, (context) =>
    context.json(plane.outbox.act(context.req.valid('param').id, 'discard', caller(context)), 200),
  )
}
