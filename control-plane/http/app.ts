import { createRoute, OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { requestId } from 'hono/request-id'
import type { BlankEnv } from 'hono/types'
import { z } from 'zod'
import type { Caller } from '../../src/domain/caller.ts'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import { actRoutes } from './acts.ts'
import { anyLength, onBodies } from './any-length.ts'
import { auditRoute } from './audit.ts'
import { forBrowsers } from './browsers.ts'
import { catalogueRoutes } from './catalogue.ts'
import { type App, json, type Routes } from './contract.ts'
import { decisionRoutes } from './decisions.ts'
import type { DashboardPlaces } from './dashboard/files.ts'
import { dashboard } from './dashboard/pages.ts'
import { type Door, doorOf } from './door.ts'
import { openApiDocument } from './document.ts'
import { evidenceRoutes } from './evidence.ts'
import { bodiless, refuseInput } from './input.ts'
import { insightRoutes } from './insight.ts'
import { outboxRoutes } from './outbox.ts'
import { overviewRoutes } from './overview.ts'
import { answerError, Refusal } from './problem.ts'
import { scheduleRoutes } from './schedules.ts'
import { searchRoute } from './search.ts'
import { serviceRoutes } from './service.ts'
import { sessionRoutes } from './session.ts'
import { type StreamLimits, streamLimits } from './sse.ts'
import { questionRoute } from './questions.ts'
import { streamRoutes } from './stream.ts'
import { taskRoutes } from './tasks.ts'
import { tokenRoutes } from './tokens.ts'
import { type Seen, witness } from './witness.ts'

/** Who is behind a request: whoever can reach the app, or whom the door lets in. */
type Entrance =
  | { readonly caller: (context: Context) => Caller }
  | {
      readonly door: Door
      /** Absent: there is no dashboard. */
      readonly dashboard?: DashboardPlaces
    }

export type HttpOptions = Entrance & {
  /** Told of everything that is thrown and no expected failure, with the id of the request. */
  readonly report: (error: unknown, requestId: string) => void
  /** Told of every answer. */
  readonly seen?: (seen: Seen) => void
  /** In the text format of Prometheus. */
  readonly metrics?: () => Promise<string>
  readonly stream?: StreamLimits
}

/** What a request may carry at most, bytes. */
const bodyBytes = 1024 * 1024

/** The control plane over HTTP, as `/openapi.json` says. Every error is problem+json. */
export function httpApp(plane: ControlPlane, options: HttpOptions): App {
  const app = new OpenAPIHono<BlankEnv>({ defaultHook: refuseInput })
  app.onError((error, context) => answerError(error, context, options.report))
  app.notFound((context) =>
    answerError(new Failure('not_found', `There is no ${context.req.path} here.`), context, options.report),
  )
  const onError = (): never => {
    throw new Refusal('payload_too_large', `A request has at most ${bodyBytes / 1024} KiB.`)
  }
  const { report, seen = () => undefined } = options
  app.use(requestId({ limitLength: 100 }))
  app.use(witness({ access: plane.access, seen, report }))
  if ('door' in options) app.use(forBrowsers)
  app.use('door' in options ? doorOf(options.door, plane.access) : known(options.caller))
  if ('dashboard' in options && options.dashboard !== undefined) app.use(dashboard(options.dashboard))
  app.use(onBodies(anyLength))
  app.use(onBodies(bodyLimit({ maxSize: bodyBytes, onError })))
  app.use(bodiless)
  const routes: Routes = { app, plane, caller: (context) => context.get('caller') }
  serviceRoutes(routes, options.metrics ?? (() => Promise.resolve('')))
  sessionRoutes(routes, 'door' in options && options.door.isSecure)
  overviewRoutes(routes)
  taskRoutes(routes)
  questionRoute(routes)
  evidenceRoutes(routes)
  streamRoutes(routes, options.stream ?? streamLimits)
  actRoutes(routes)
  decisionRoutes(routes)
  insightRoutes(routes)
  catalogueRoutes(routes)
  searchRoute(routes)
  tokenRoutes(routes)
  auditRoute(routes)
  outboxRoutes(routes)
  scheduleRoutes(routes)
  documentRoute(app)
  refuseOtherMethods(app)
  return app
}

const known =
  (caller: (context: Context) => Caller): MiddlewareHandler =>
  async (context, next) => {
    context.set('caller', caller(context))
    context.set('isIn', () => true)
    await next()
  }

const itself = createRoute({
  method: 'get',
  path: '/openapi.json',
  summary: 'This document',
  responses: { 200: json(z.record(z.string(), z.unknown()), 'OpenAPI 3.1.') },
})

/** The document is made when it is first asked for: most processes never are. */
function documentRoute(app: App): void {
  let document: Readonly<Record<string, unknown>> | null = null
  app.openapi(itself, (context) => {
    document ??= openApiDocument(routesOf(app))
    return context.json(document, 200)
  })
}

function routesOf(app: App): readonly RouteConfig[] {
  return app.openAPIRegistry.definitions.flatMap((one) => (one.type === 'route' ? [one.route] : []))
}

/** Makes a known path under another method a 405 that names the methods, instead of a 404. */
function refuseOtherMethods(app: App): void {
  const methods = new Map<string, Set<string>>()
  for (const route of app.routes) {
    if (route.method === 'ALL') continue
    methods.set(route.path, (methods.get(route.path) ?? new Set()).add(route.method))
  }
  for (const [path, known] of methods) {
    const allow = [...known].map((method) => method.toUpperCase()).join(', ')
    app.all(path, (context) => {
      context.header('allow', allow)
      throw new Refusal('method_not_allowed', `${context.req.path} takes ${allow}.`)
    })
  }
}
