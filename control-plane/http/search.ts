import type { Hono } from 'hono'
import { z } from 'zod'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { searchLimits } from '../../src/domain/search/search.ts'
import { query, statusList } from './input.ts'

const time = z
  .string()
  .transform((text) => (/^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)))
  .refine(Number.isFinite, 'takes a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970')
const searchQuery = z.strictObject({
  q: z.string().default(''),
  repository: z.string().startsWith('/', 'takes an absolute path').exactOptional(),
  status: statusList.optional(),
  since: time.exactOptional(),
  until: time.exactOptional(),
  limit: z.coerce.number().int().min(1).max(searchLimits.most).default(searchLimits.usual),
})

/** Tasks by what is remembered of them. Whatever `q` is, it is no error. */
export function searchRoute(app: Hono, plane: ControlPlane): void {
  app.get('/v1/search', async (context) => {
    const { q: text, status, ...filter } = query(context, searchQuery)
    return context.json(
      await plane.search({ text, ...filter, ...(status === undefined ? {} : { statuses: status }) }),
    )
  })
}
