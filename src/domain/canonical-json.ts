import { hash } from 'node:crypto'

/**
 * JSON with sorted keys and no spaces: one text per value, for hashing. For plain data without cycles. Half a character that
 * stands alone in a text is U+FFFD, as a database or a file gives it back.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value))
}

function sorted(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  // By code unit, so that the order is the same under every locale.
  const entries: [string, unknown][] = Object.entries(value)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]),
  )
}

/** SHA-256 in lowercase hex. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex')
}
