import { z } from 'zod'
import { exitHelp } from '../../src/cli/exit.ts'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { newsTypes, usualNews } from '../../src/domain/outbox/news.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { table } from '../../src/domain/transition/table.ts'

// What docs/reference.md is made of: nothing there is written by hand.

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

/** Every change of state. */
export function transitions(): string {
  const rows = table.map(({ from, on, to, phase, when, note }) => [
    from.join(', '),
    code(on),
    to,
    phase ?? '',
    when ?? '',
    note,
  ])
  return tableOf(['from', 'on', 'to', 'phase', 'when', 'what it means'], rows)
}

type Schema = z.core.JSONSchema.BaseSchema

/** Every key of cofferdam.yaml. */
export function configuration(): string {
  const rows = (schema: Schema, before: string): readonly (readonly string[])[] => {
    const { properties = {}, additionalProperties: any } = schema
    const named = typeof any === 'object' ? [['NAME', any] as const] : []
    return [...Object.entries(properties), ...named].flatMap(([key, inner]) =>
      typeof inner === 'object'
        ? [
            ...(key === 'NAME' ? [] : [[code(before + key), defaultOf(inner), inner.description ?? '']]),
            // A policy of one repository is what the policy of all is.
            ...(`${before}${key}` === 'repositories.NAME.policy' ? [] : rows(inner, `${before}${key}.`)),
          ]
        : [],
    )
  }
  return tableOf(['key', 'default', 'what it is'], rows(configJsonSchema(), ''))
}

function defaultOf({ default: usual }: Schema): string {
  const text = JSON.stringify(usual)
  return usual === undefined || text === '{}' || text === '[]' ? '' : code(text)
}

/** The names that a policy keeps from boxes, or from being written, where nothing else is said. */
export function patterns(): string {
  const list = (names: readonly string[]): string => names.map(code).join(' ')
  const { deny, except, readonly } = defaultPolicy
  return tableOf(
    ['list', 'patterns'],
    [
      ['deny', list(deny)],
      ['except', list(except)],
      ['readonly', list(readonly)],
    ],
  )
}

export function news(): string {
  return tableOf(
    ['event', 'told where nothing is said'],
    newsTypes.map((type) => [code(type), usualNews.includes(type) ? 'yes' : 'no']),
  )
}

export const exits = (): string => `\`\`\`\n${exitHelp()}\n\`\`\``

const operationSchema = z.object({
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
})
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
})

/** Every route, of `/openapi.json`. */
export function routes(document: unknown): string {
  const { paths } = documentSchema.parse(document)
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, security }]) => [
      method.toUpperCase(),
      code(path),
      security.flatMap((each) => Object.values(each)).join(' ') || 'no token',
      summary,
    ]),
  )
  return tableOf(['method', 'path', 'scope', 'what it does'], rows)
}

/** Every metric, of what Prometheus is told. */
export function metrics(text: string): string {
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name = '', help = '']) => [
    code(name),
    help,
  ])
  return tableOf(['metric', 'what it is'], rows)
}
