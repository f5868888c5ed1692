import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Access } from '../../src/domain/access.ts'
import { auditOutcomeOf } from '../../src/domain/audit.ts'
import { isControl } from '../../src/domain/scopes.ts'
import type { Actor } from '../../src/domain/task.ts'

/** A request that was answered. */
export interface Seen {
  readonly requestId: string
  /** Null where nobody knows. */
  readonly actor: Actor | null
  readonly method: string
  /** As the document has it, such as `/v1/tasks/{id}`; there are as many as the document has, and `unknown`. */
  readonly route: string
  readonly status: number
  /** Until the answer began. */
  readonly ms: number
}

interface WitnessDeps {
  readonly access: Access
  readonly seen: (seen: Seen) => void
  readonly report: (error: unknown, requestId: string) => void
}

const longestText = 500

/** Tells of every answer, and puts each control call on record, also those that are refused. */
export function witness({ access, seen, report }: WitnessDeps): MiddlewareHandler {
  return async (context, next) => {
    const began = performance.now()
    await next()
    const { method, path } = context.req
    const requestId = context.get('requestId')
    const actor = (context.get('caller') as { actor: Actor } | undefined)?.actor ?? null
    const { status } = context.res
    const route = routeOf(context)
    seen({ requestId, actor, method, route, status, ms: performance.now() - began })
    if (!isControl(method, path) || context.get('again')) return
    const row = {
      actor,
      action: `${method} ${route}`,
      taskId: taskOf(context),
      outcome: auditOutcomeOf(status),
      text: (context.error?.message ?? '').slice(0, longestText),
      requestId,
    }
    try {
      access.record(row)
    } catch (error) {
      // What was done is done, and who asked for it has to be told so.
      report(error, requestId)
    }
  }
}

function routeOf(context: Context): string {
  const route = matchedRoutes(context).findLast(({ path }) => !path.endsWith('*'))
  return route?.path.replaceAll(/:(\w+)/g, '{$1}') ?? 'unknown'
}

/** The task of the path, or the one that was made. */
function taskOf({ req, res }: Context): string | null {
  const path = `${req.path} ${res.headers.get('location') ?? ''}`
  return /\/v1\/tasks\/([a-z2-7]{10})(?![a-z2-7])/.exec(path)?.[1] ?? null
}
