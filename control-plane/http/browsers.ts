import type { MiddlewareHandler } from 'hono'

/** An answer is what it says it is, no part of somebody else's page, and kept by nobody on the way. */
const told: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Tells browsers how to take every answer that does not say so itself. */
export const forBrowsers: MiddlewareHandler = async (context, next) => {
  await next()
  const { headers } = context.res
  for (const [name, value] of Object.entries(told)) if (!headers.has(name)) headers.set(name, value)
}
