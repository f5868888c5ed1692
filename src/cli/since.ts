import type { Millis } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A time as `--since` takes it: so long ago (`90m`, `12h`, `3d`, `2w`), or a local date, or a time. */
export function parseTime(text: string, now: Millis, option = '--since'): Millis {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text.trim()) ?? []
  if (count !== undefined) return now - Number(count) * (units[unit] ?? 0)
  // A date alone is UTC to Date.parse, and the local day to a person.
  const at = /^\d{4}-\d\d-\d\d/.test(text)
    ? Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text)
    : Number.NaN
  if (Number.isFinite(at) && at >= 0) return at
  throw new Failure(
    'bad_request',
    `${option} takes how long ago, such as 12h, 3d or 2w, or a date such as 2026-01-31, not ${text}.`,
  )
}

/** A time to come as `--expires` takes it: in so long (`12h`, `90d`, `8w`), a local date or a time; null is never. */
export function expiryOf(text: string, now: Millis): Millis | null {
  if (text.trim() === 'never') return null
  const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text.trim()) ?? []
  if (count !== undefined) return now + Number(count) * (units[unit] ?? 0)
  const at = /^\d{4}-/.test(text) ? parseTime(text, now, '--expires') : 0
  if (at > now) return at
  throw new Failure(
    'bad_request',
    `--expires takes how long from now, such as 12h, 90d or 8w, a date to come, or never, not ${text}.`,
  )
}
