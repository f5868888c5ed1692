import type { RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import { scopeOf } from '../../src/domain/scopes.ts'
import { reasons, refusal, type RefusalStatus } from './contract.ts'
import { nameSchemas } from './names.ts'

/** What a person has to know who has nothing but the document. */
const about = [
  'Autonomous coding agents in throwaway boxes. The control socket of the data folder takes requests of its owner:',
  '`curl --unix-socket SOCKET http://cofferdam/v1/tasks`. Over TCP each needs a token:',
  '`curl -H "Authorization: Bearer $COFFERDAM_TOKEN" http://127.0.0.1:7878/v1/tasks`.',
  'Times are milliseconds since 1970. Every error is problem+json (RFC 9457) with a stable `code`, a sentence that says',
  'what to do, and the `requestId` under which the log has it (also in `X-Request-Id`, which a request may bring).',
  'Decisions (approve, reject, suggest, merge, pull-request, undo, discard) are bound to what was shown: send the `ETag` of the',
  'task as `If-Match`.',
  'Lists are read page by page: hand `next` back as `cursor` until it is null.',
].join(' ')

type Json = Readonly<Record<string, unknown>>
type Io = 'input' | 'output'

/**
 * The OpenAPI 3.1 document of these routes. Its schemas are zod's own JSON Schema, which is what 3.1 takes: a converter
 * of types loses every value of a literal but the first, and what is only known of an input before it is transformed.
 */
export function openApiDocument(routes: readonly RouteConfig[]): Json {
  nameSchemas()
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const operation = operationOf(route, (schema, io) => jsonSchemaOf(schema, io, schemas))
    paths[route.path] = { ...paths[route.path], [route.method]: operation }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cofferdam',
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description: about,
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Over TCP alone: `cfd_…`, as `cofferdam token create` shows it. Each route names the scope that it needs. ' +
            'From pages of this server the cookie of `POST /v1/session` does as well.',
        },
      },
    },
  }
}

type Convert = (schema: z.ZodType, io: Io) => Json

function operationOf(route: RouteConfig, convert: Convert): Json {
  const { request, responses, method, path, operationId, summary, description, tags } = route
  const parameters = (['params', 'query', 'headers'] as const).flatMap((part) =>
    parametersOf(part, request?.[part], convert),
  )
  const body = request?.body
  const scope = scopeOf(method.toUpperCase(), path)
  const every: RefusalStatus[] = [
    ...(parameters.length > 0 || body !== undefined ? ([400] as const) : []),
    ...(path.includes('{') ? ([404] as const) : []),
    ...(body === undefined ? [] : ([413, 415] as const)),
    ...(scope === null ? [] : ([401, 429] as const)),
    403,
    500,
    503,
    507,
  ]
  const refused = every.map((status) => [status, refusal(reasons[status])])
  const answers: Readonly<Record<string, object>> = {
    ...Object.fromEntries(refused),
    ...responses,
    default: refusal('Any other error.'),
  }
  return {
    operationId: operationId ?? nameOf(method, path),
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    security: scope === null ? [] : [{ token: [scope] }],
    tags: tags ?? [path.split('/')[2] ?? 'service'],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: withSchemas(body, 'input', convert) }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, withSchemas(answer, 'output', convert)]),
    ),
  }
}

/** `post /v1/tasks/{id}/stop` is `postTasksIdStop`. */
function nameOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'v1')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const places = { params: 'path', query: 'query', headers: 'header' } as const

function parametersOf(part: keyof typeof places, schema: unknown, convert: Convert): readonly Json[] {
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).map(([name, field]) => {
    const own = field as z.ZodType
    const { description, ...rest } = parameterSchema(own, convert)
    return {
      name,
      in: places[part],
      required: part === 'params' || !z.object({ [name]: own }).safeParse({}).success,
      ...(description === undefined ? {} : { description }),
      // Several values are one text with commas in between.
      ...(rest['type'] === 'array' ? { style: 'form', explode: false } : {}),
      schema: rest,
    }
  })
}

/** A parameter as it is when it is read, unless it says itself how it is written. */
function parameterSchema(schema: z.ZodType, convert: Convert): Json {
  const said = z.globalRegistry.get(schema)
  return said?.['type'] === undefined ? convert(schema, 'output') : { ...said }
}

/** A body or an answer, its zod schemas as JSON Schema. */
function withSchemas(part: object, io: Io, convert: Convert): Json {
  if (!('content' in part) || typeof part.content !== 'object' || part.content === null) return { ...part }
  const content = Object.entries(part.content).map(
    ([type, media]: [string, { readonly schema?: unknown }]) => [
      type,
      media.schema instanceof z.ZodType ? { ...media, schema: convert(media.schema, io) } : media,
    ],
  )
  return { ...part, content: Object.fromEntries(content) }
}

/** Puts what has a name among `schemas`, and refers to it there. */
function jsonSchemaOf(schema: z.ZodType, io: Io, schemas: Record<string, unknown>): Json {
  const made = z.toJSONSchema(schema, {
    io,
    // What has no JSON Schema says itself what it is.
    unrepresentable: ({ zodSchema, message }) => {
      if (z.globalRegistry.get(zodSchema)?.['type'] === undefined) throw new Error(message)
      return 'any'
    },
  })
  const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/')
  const { $defs, $schema: _, ...own } = JSON.parse(text) as Record<string, unknown>
  Object.assign(schemas, $defs)
  return own
}
