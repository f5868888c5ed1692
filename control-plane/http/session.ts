import { createRoute } from '@hono/zod-openapi'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Context } from 'hono'
import { sessionSchema } from '../../src/domain/answers.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'
import { abilitiesOf } from '../../src/domain/rights.ts'
import { empty, header, json, refusals, type Routes } from './contract.ts'

const path = '/v1/session'
const cookieHeader = { 'set-cookie': header('The session: it is for browsers alone.') } as const

const show = createRoute({
  method: 'get',
  path,
  summary: 'Who you are, and what you can do that is not about one task',
  responses: { 200: json(sessionSchema, 'The caller.') },
})
const begin = createRoute({
  method: 'post',
  path,
  summary: 'Begin a session of a browser, with the token in Authorization',
  description:
    'Its cookie lets the browser in as the token would, for 14 days at most and never longer than the token is good. ' +
    'The session that the browser had ends, and so does the oldest of more than 20 of one token. ' +
    'What changes something is taken with it from pages of this server alone.',
  responses: { 201: json(sessionSchema, 'The caller.', cookieHeader), ...refusals(409) },
})
const end = createRoute({
  method: 'delete',
  path,
  summary: 'End the session that the cookie of this request names',
  responses: { 204: empty('There is none any more.', cookieHeader) },
})

/** A name of its own for each kind, so that a cookie that went over plain HTTP once is none over TLS. */
const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-cofferdam' : 'cofferdam')

/** The session that a request names; null where it names none. */
export function sessionIn(context: Context, isSecure: boolean): string | null {
  return getCookie(context, cookieName(isSecure)) ?? null
}

/** Sessions of browsers. @param isSecure browsers come over TLS */
export function sessionRoutes({ app, plane, caller }: Routes, isSecure: boolean): void {
  const name = cookieName(isSecure)
  const cookie = { httpOnly: true, sameSite: 'Strict', secure: isSecure, path: '/' } as const
  const shown = (who: Caller) => ({ actor: who.actor, role: who.role, may: [...abilitiesOf(who)] })

  app.openapi(show, (context) => context.json(shown(caller(context)), 200))
  app.openapi(begin, (context) => {
    const token = context.get('token')
    if (token === undefined)
      throw new Failure(
        'conflict',
        'A session begins with a token: send it as `Authorization: Bearer cfd_…`.',
      )
    const { session, text } = plane.access.signIn(token, sessionIn(context, isSecure))
    setCookie(context, name, text, { ...cookie, expires: new Date(session.expiresAt) })
    return context.json(shown(caller(context)), 201)
  })
  app.openapi(end, (context) => {
    const text = sessionIn(context, isSecure)
    if (text !== null) plane.access.signOut(text)
    deleteCookie(context, name, cookie)
    return context.body(null, 204)
  })
}
