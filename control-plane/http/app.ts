import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Failure } from '../../src/domain/failure.ts'
import type { Caller } from '../../src/domain/caller.ts'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { anyLength } from './any-length.ts'
import { actRoutes } from './acts.ts'
import { insightRoutes } from './insight.ts'
import { answerError, Refusal } from './problem.ts'
import { searchRoute } from './search.ts'
import { type StreamLimits, streamLimits } from './sse.ts'
import { streamRoute } from './stream.ts'
import { taskRoutes } from './tasks.ts'

export interface HttpOptions {
  /** Who is behind a request. */
  readonly caller: (context: Context) => Caller
  /** Told of everything that is thrown and no expected failure. */
  readonly report: (error: unknown) => void
  readonly stream?: StreamLimits
}

/** What a request may carry at most, bytes. */
const bodyBytes = 1024 * 1024

/** The control plane over HTTP. Every error is problem+json. */
export function httpApp(plane: ControlPlane, options: HttpOptions): Hono {
  const app = new Hono()
  app.onError((error, context) => answerError(error, context, options.report))
  app.notFound((context) =>
    answerError(new Failure('not_found', `There is no ${context.req.path} here.`), context, options.report),
  )
  const onError = (): never => {
    throw new Refusal('payload_too_large', `A request has at most ${bodyBytes / 1024} KiB.`)
  }
  app.use(anyLength)
  app.use(bodyLimit({ maxSize: bodyBytes, onError }))
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  taskRoutes(app, plane, options.caller)
  streamRoute(app, plane, options.stream ?? streamLimits)
  actRoutes(app, plane, options.caller)
  insightRoutes(app, plane)
  searchRoute(app, plane)
  refuseOtherMethods(app)
  return app
}

/** Makes a known path under another method a 405 that names the methods, instead of a 404. */
function refuseOtherMethods(app: Hono): void {
  const methods = new Map<string, Set<string>>()
  for (const route of app.routes) {
    if (route.method === 'ALL') continue
    methods.set(route.path, (methods.get(route.path) ?? new Set()).add(route.method))
  }
  for (const [path, known] of methods) {
    const allow = [...known].join(', ')
    app.all(path, (context) => {
      context.header('allow', allow)
      throw new Refusal('method_not_allowed', `${context.req.path} takes ${allow}.`)
    })
  }
}
