import type { z } from 'zod'
import { Failure } from '../../src/domain/failure.ts'

/** Where a field of the domain lies in a row: in a column, as JSON in a column, or each of its parts in a column. */
type Place = { readonly column: string; readonly json: boolean } | { readonly parts: Record<string, string> }

/** A place for each field: one that is forgotten does not compile. */
type Places<T> = { readonly [Field in keyof T]-?: Place }

export const column = (name: string): Place => ({ column: name, json: false })
export const json = (name: string): Place => ({ column: name, json: true })
export const parts = (columns: Record<string, string>): Place => ({ parts: columns })

/** A value as SQLite takes it. */
type Cell = string | number | null
export type Row = Readonly<Record<string, Cell>>

/** Turns values of the domain into rows of one table and back. */
export interface Rows<T> {
  readonly columns: readonly string[]
  toRow(value: T): Row
  /** The cells of the fields that `after` does not share with `before`. */
  changes(before: T, after: T): Row
  /** Parses a row; a damaged one is a `Failure('database')` that names the task and the column. */
  fromRow(row: Row): T
}

export function rowsOf<T extends object>(table: string, schema: z.ZodType<T>, places: Places<T>): Rows<T> {
  const fields = Object.entries<Place>(places)
  const rowOf = (of: readonly (readonly [string, Place])[], content: ReadonlyMap<string, unknown>): Row =>
    Object.fromEntries(of.flatMap(([field, place]) => cellsOf(place, content.get(field))))
  return {
    columns: fields.flatMap(([, place]) => columnsOf(place)),
    toRow: (value) => rowOf(fields, contents(value)),
    changes(before, after) {
      const [old, fresh] = [contents(before), contents(after)]
      const differing = fields.filter(([field]) => old.get(field) !== fresh.get(field))
      return rowOf(differing, fresh)
    },
    fromRow(row) {
      const value = Object.fromEntries(fields.map(([field, place]) => [field, contentOf(table, place, row)]))
      const parsed = schema.safeParse(value)
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      throw damaged(table, row, placeName(places, issue?.path ?? []), issue?.message ?? 'it does not fit')
    },
  }
}

function contents(value: object): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(Object.entries(value))
}

function columnsOf(place: Place): readonly string[] {
  return 'column' in place ? [place.column] : Object.values(place.parts)
}

function cellsOf(place: Place, content: unknown): readonly (readonly [string, Cell])[] {
  if ('parts' in place) {
    const inner = new Map<string, unknown>(Object.entries(content ?? {}))
    return Object.entries(place.parts).map(([part, name]) => [name, cell(name, inner.get(part))])
  }
  const packed = place.json && content !== null ? JSON.stringify(content) : content
  return [[place.column, cell(place.column, packed)]]
}

function cell(name: string, content: unknown): Cell {
  if (typeof content === 'string' || typeof content === 'number' || content === null) return content
  throw new Error(`column ${name} takes no ${typeof content}`)
}

function contentOf(table: string, place: Place, row: Row): unknown {
  if ('parts' in place) {
    return Object.fromEntries(Object.entries(place.parts).map(([part, name]) => [part, row[name]]))
  }
  const content = row[place.column]
  if (!place.json || typeof content !== 'string') return content
  try {
    return JSON.parse(content)
  } catch {
    throw damaged(table, row, place.column, 'it is no JSON')
  }
}

/** The column that a path of the parsed value lies in. */
function placeName<T>(places: Places<T>, [field, part]: readonly PropertyKey[]): string {
  const place = new Map<PropertyKey, Place>(Object.entries<Place>(places)).get(field ?? '')
  if (place === undefined) return '?'
  return 'column' in place ? place.column : (place.parts[String(part)] ?? '?')
}

function damaged(table: string, row: Row, name: string, why: string): Failure {
  const task = row['task_id'] ?? row['id']
  return new Failure(
    'database',
    `Task ${task} is damaged in the database: column ${name} of ${table}: ${why}. ` +
      'Put a copy of the database in its place, or start with another --data.',
  )
}
