import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { newTokenSchema, tokenSchema, tokensSchema } from '../../src/domain/answers.ts'
import { roles } from '../../src/domain/caller.ts'
import { scopes, usualScopes } from '../../src/domain/scopes.ts'
import { json, jsonBody, refusals, type Routes } from './contract.ts'

const request = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'A name has 1 to 40 characters of a-z, 0-9, ".", "_" and "-".')
    .meta({ description: 'Goes on record with what is done by it.' }),
  role: z.enum(roles),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .exactOptional()
    .meta({ description: 'Narrow what the role may do; all that it can use where none are named.' }),
  expiresAt: z.int().positive().nullable().meta({ description: 'Milliseconds since 1970; null is never.' }),
})

const create = createRoute({
  method: 'post',
  path: '/v1/tokens',
  summary: 'Make a token: its secret is in this answer and nowhere else',
  request: { body: jsonBody(request) },
  responses: { 201: json(newTokenSchema, 'The token.'), ...refusals(403, 409) },
})
const list = createRoute({
  method: 'get',
  path: '/v1/tokens',
  summary: 'The tokens, newest first, without their secrets',
  responses: { 200: json(tokensSchema, 'The tokens.'), ...refusals(403) },
})
const revoke = createRoute({
  method: 'delete',
  path: '/v1/tokens/{token}',
  summary: 'Revoke a token: it is good for nothing from now on',
  request: { params: z.object({ token: z.string().meta({ description: 'Its id, or its name.' }) }) },
  responses: { 200: json(tokenSchema, 'The token, as it is now.'), ...refusals(403, 404) },
})

/** Who may call from elsewhere. */
export function tokenRoutes({ app, plane, caller }: Routes): void {
  app.openapi(create, (context) => {
    const { scopes: wanted, ...more } = context.req.valid('json')
    const named = [...new Set(wanted ?? usualScopes[more.role])]
    return context.json(plane.access.createToken({ ...more, scopes: named }, caller(context)), 201)
  })
  app.openapi(list, (context) => context.json({ tokens: [...plane.access.tokens(caller(context))] }, 200))
  app.openapi(revoke, (context) =>
    context.json(plane.access.revokeToken(context.req.valid('param').token, caller(context)), 200),
  )
}
