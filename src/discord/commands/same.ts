import { canonicalJson } from '../../domain/canonical-json.ts'

/** Whether the commands that are registered are these, but for what Discord adds to them. */
export function sameCommands(ours: readonly unknown[], theirs: readonly unknown[]): boolean {
  const canonical = (all: readonly unknown[]): readonly string[] =>
    all.map((one) => canonicalJson(stripped(one))).toSorted()
  return canonicalJson(canonical(ours)) === canonicalJson(canonical(theirs))
}

const own: ReadonlySet<string> = new Set(
  'name description options required choices autocomplete value min_value max_value min_length max_length'.split(
    ' ',
  ),
)

/** What is of our making: without ids and versions, and without what is not said because it is the usual. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped)
  if (typeof value !== 'object' || value === null) return value
  const parts: [string, unknown][] = Object.entries(value)
  return Object.fromEntries(
    parts
      .filter(
        ([key, part]) =>
          (own.has(key) || (key === 'type' && part !== 1)) &&
          part !== false &&
          part !== undefined &&
          part !== null,
      )
      .filter(([, part]) => !Array.isArray(part) || part.length > 0)
      .map(([key, part]) => [key, stripped(part)]),
  )
}
