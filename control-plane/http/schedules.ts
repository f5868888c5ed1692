import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { ShownSchedule } from '../../src/domain/schedule/port.ts'
import type { Routes } from './contract.ts'
import { shownRevision } from './input.ts'
import { Stale } from './problem.ts'
import * as routes from './schedule-routes.ts'

const etag = ({ revision }: Pick<ShownSchedule, 'revision'>): string => `"${revision}"`

/** Schedules, and what they have made. */
export function scheduleRoutes({ app, plane, caller }: Routes): void {
  const { schedules } = plane
  app.openapi(routes.list, (context) => context.json({ schedules: [...schedules.list()] }, 200))
  app.openapi(routes.create, async (context) => {
    const made = schedules.create(context.req.valid('json'), caller(context))
    context.header('location', `/v1/schedules/${made.name}`)
    context.header('etag', etag(made))
    return context.json(await schedules.detail(made), 201)
  })
  app.openapi(routes.show, async (context) => {
    const shown = schedules.show(context.req.valid('param').name)
    context.header('etag', etag(shown))
    return context.json(await schedules.detail(shown), 200)
  })
  app.openapi(routes.update, async (context) => {
    const { name } = context.req.valid('param')
    const shown = shownRevision(context.req.valid('header')['if-match'])
    const changed = onShown(plane, name, shown, () =>
      schedules.update(name, context.req.valid('json'), caller(context), shown),
    )
    context.header('etag', etag(changed))
    return context.json(await schedules.detail(changed), 200)
  })
  app.openapi(routes.remove, (context) => {
    const { name } = context.req.valid('param')
    const shown = shownRevision(context.req.valid('header')['if-match'])
    onShown(plane, name, shown, () => schedules.remove(name, caller(context), shown))
    return context.body(null, 204)
  })
  for (const [enabled, route] of [
    [
      true,
      routes.switching('enable', 'Have a schedule run; what was planned while it was disabled is not missed'),
    ],
    [false, routes.switching('disable', 'Have a schedule rest; runs that wait are skipped')],
  ] as const) {
    app.openapi(route, async (context) => {
      const switched = schedules.enable(context.req.valid('param').name, enabled, caller(context))
      context.header('etag', etag(switched))
      // Of one that rests nothing comes.
      const detail = enabled
        ? await schedules.detail(switched)
        : { ...switched, terms: null, hindrance: null }
      return context.json(detail, 200)
    })
  }
  app.openapi(routes.run, async (context) => {
    const key = context.req.valid('header')['idempotency-key'] ?? null
    const ran = await schedules.run(context.req.valid('param').name, caller(context), key)
    context.header('location', `/v1/tasks/${ran.task.id}`)
    return context.json(ran, 201)
  })
  app.openapi(routes.occurrences, (context) => {
    const { cursor, limit } = context.req.valid('query')
    const before = cursor === undefined ? null : Number(cursor)
    const found = schedules.occurrences(context.req.valid('param').name, before, limit + 1)
    const last = found.length > limit ? found[limit - 1] : undefined
    const next = last === undefined ? null : String(last.plannedAt)
    return context.json({ occurrences: found.slice(0, limit), next }, 200)
  })
}

/** What is bound to a revision that is no longer that of the schedule is a 412. */
function onShown<T>(plane: ControlPlane, name: string, shown: number | null, change: () => T): T {
  try {
    return change()
  } catch (error) {
    const conflict = error instanceof Failure && error.code === 'conflict'
    const now = conflict && shown !== null ? plane.schedules.show(name) : null
    if (now !== null && now.origin === 'api' && now.revision !== shown) throw new Stale(messageOf(error))
    throw error
  }
}
