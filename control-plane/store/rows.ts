import { putBack } from '../../src/domain/backup.ts'
import type { z } from 'zod'
import { Failure } from '../../src/domain/failure.ts'

/** A value as SQLite takes it. */
export type Cell = string | number | null
/** The cells of a row, in the order of the table's columns. */
export type Row = readonly Cell[]

/** How a content of the domain becomes a cell, and back. */
export interface Codec {
  toCell(content: unknown): Cell
  /** The content, not yet parsed. Throws a `SyntaxError` where the cell cannot be read. */
  toContent(cell: Cell): unknown
  /** Is told what a cell's content came to when its row was parsed. */
  parsed?(content: unknown, cell: Cell): void
}

/** Where a field of the domain lies in a row: in a column, or each of its parts in a column. */
type Place =
  { readonly column: string; readonly codec: Codec } | { readonly parts: Readonly<Record<string, string>> }

/** A place for each field: one that is forgotten does not compile. */
type Places<T> = { readonly [Field in keyof T]-?: Place }

const asItIs: Codec = {
  toCell(content) {
    // Half a character that stands alone would be read back as three that are none.
    if (typeof content === 'string') return content.toWellFormed()
    if (typeof content === 'number' || content === null) return content
    throw new Error(`a column takes no ${typeof content}`)
  },
  toContent: (cell) => cell,
}

const asJson: Codec = {
  toCell: (content) => (content === null ? null : JSON.stringify(content)),
  toContent: (cell): unknown => (typeof cell === 'string' ? JSON.parse(cell) : cell),
}

/** SQLite has no booleans. */
const asFlag: Codec = {
  toCell: (content) => Number(content),
  toContent: (cell) => (cell === 0 || cell === 1 ? cell === 1 : cell),
}

export const column = (name: string, codec: Codec = asItIs): Place => ({ column: name, codec })
export const json = (name: string): Place => column(name, asJson)
export const flag = (name: string): Place => column(name, asFlag)
export const parts = (columns: Readonly<Record<string, string>>): Place => ({ parts: columns })

/** A column, and the field or part of a field that it holds. */
interface Column<Field> {
  readonly name: string
  readonly field: Field
  readonly part: string | null
  readonly codec: Codec
}

/** Turns values of the domain into rows of one table and back. */
export interface Rows<T> {
  readonly columns: readonly string[]
  /** SQL that adds a row, and the beginning of SQL that reads rows. */
  readonly insert: string
  readonly select: string
  toRow(value: T): Row
  /** The columns of the fields that `after` does not share with `before`, and what they are to hold. */
  changes(before: T, after: T): { readonly columns: readonly string[]; readonly cells: Row }
  /** Parses a row; a damaged one is a `Failure('database')` that names the task and the column. */
  fromRow(row: Row): T
}

/** @param what a row is about: that which its `task_id`, or else its first column, names */
export function rowsOf<T extends object>(
  table: string,
  schema: z.ZodType<T>,
  places: Places<T>,
  what = 'Task',
): Rows<T> {
  type Field = Extract<keyof T, string>
  const columns: Column<Field>[] = []
  for (const field in places) columns.push(...columnsOf<Field>(field, places[field]))
  const names = columns.map(({ name }) => name)

  const cellOf = (value: T, { field, part, codec }: Column<Field>): Cell =>
    codec.toCell(part === null ? value[field] : partOf(value[field], part))

  const damaged = (row: Row, name: string, why: string): Failure => {
    const task = row[Math.max(0, names.indexOf('task_id'))]
    return new Failure(
      'database',
      `${what} ${task} is damaged in the database: column ${name} of ${table}: ${why}; ` +
        `${putBack}, or start with another --data.`,
    )
  }

  const contentsOf = (row: Row): Readonly<Record<string, unknown>> => {
    const value: Record<string, unknown> = {}
    const groups: Record<string, Record<string, unknown>> = {}
    for (const [index, { name, field, part, codec }] of columns.entries()) {
      const content = readCell(codec, row[index] ?? null, () => damaged(row, name, 'it is no JSON'))
      if (part === null) value[field] = content
      else (value[field] = groups[field] ??= {})[part] = content
    }
    return value
  }

  return {
    columns: names,
    insert: `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    select: `SELECT ${names.join(', ')} FROM ${table}`,
    toRow: (value) => columns.map((each) => cellOf(value, each)),
    changes(before, after) {
      const differing = columns.filter(({ field }) => before[field] !== after[field])
      return {
        columns: differing.map(({ name }) => name),
        cells: differing.map((each) => cellOf(after, each)),
      }
    },
    fromRow(row) {
      const parsed = schema.safeParse(contentsOf(row))
      if (!parsed.success) {
        const issue = parsed.error.issues[0]
        throw damaged(row, nameOf(columns, issue?.path ?? []), issue?.message ?? 'it does not fit')
      }
      for (const [index, { field, codec }] of columns.entries()) {
        codec.parsed?.(parsed.data[field], row[index] ?? null)
      }
      return parsed.data
    },
  }
}

function columnsOf<Field>(field: Field, place: Place): readonly Column<Field>[] {
  if ('column' in place) return [{ name: place.column, field, part: null, codec: place.codec }]
  return Object.entries(place.parts).map(([part, name]) => ({ name, field, part, codec: asItIs }))
}

function partOf(content: unknown, part: string): unknown {
  return typeof content === 'object' && content !== null ? Reflect.get(content, part) : undefined
}

function readCell(codec: Codec, cell: Cell, damaged: () => Failure): unknown {
  try {
    return codec.toContent(cell)
  } catch (error) {
    throw error instanceof SyntaxError ? damaged() : error
  }
}

/** The column that a path of the parsed value lies in. */
function nameOf(columns: readonly Column<string>[], [field, part]: readonly PropertyKey[]): string {
  const own = columns.filter((each) => each.field === field)
  return (own.find((each) => each.part === part) ?? own[0])?.name ?? '?'
}
