import type { MiddlewareHandler } from 'hono'

/**
 * For the limit of a body: it makes a new request of one that does not say how long it is, and the server's own kind of
 * request is not fit for that.
 */
export const anyLength: MiddlewareHandler = async ({ req }, next) => {
  const { url, method, headers, body } = req.raw
  const told = headers.has('content-length') && !headers.has('transfer-encoding')
  if (!told && body !== null) req.raw = new Request(url, { method, headers, body, duplex: 'half' })
  await next()
}

/** For what is about bodies: to ask a request of the server's own kind for one costs more than all else about it. */
export const onBodies =
  (middleware: MiddlewareHandler): MiddlewareHandler =>
  (context, next) =>
    ['GET', 'HEAD'].includes(context.req.method) ? next() : middleware(context, next)
