import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { searchAnswerSchema } from '../../src/domain/answers.ts'
import { searchLimits } from '../../src/domain/search/search.ts'
import { json, type Routes } from './contract.ts'
import { count, repositoryFilter, statusList, time } from './input.ts'

const search = createRoute({
  method: 'get',
  path: '/v1/search',
  summary: 'Tasks by what is remembered of them',
  description: 'Whatever `q` is, it is no error. The best first, of those that are as good the newest.',
  request: {
    query: z.strictObject({
      q: z.string().default(''),
      repository: repositoryFilter.exactOptional(),
      status: statusList.exactOptional(),
      since: time,
      until: time,
      limit: count(1, searchLimits.most, searchLimits.usual),
    }),
  },
  responses: { 200: json(searchAnswerSchema, 'What was found.') },
})

export function searchRoute({ app, plane }: Routes): void {
  app.openapi(search, async (context) => {
    const { q: text, status, ...filter } = context.req.valid('query')
    const answer = await plane.search({
      text,
      ...filter,
      ...(status === undefined ? {} : { statuses: status }),
    })
    return context.json(answer, 200)
  })
}
