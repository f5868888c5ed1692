import type { Account } from '../attack.ts'

/** A line of the report. */
export interface Row {
  readonly case: string
  readonly tried: string
  readonly happened: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped, or what went wrong; null where it passed. */
  readonly reason: string | null
}

/** What the test runner says of one test. */
export interface Ran {
  readonly name: string
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending'
  readonly account: Account | null
  /** The reason of a case that skipped itself. */
  readonly note: string | null
  readonly errors: readonly string[]
}

/** Rows for what ran, and for the cases of `wanted` that did not, by number. Pure. */
export function rowsOf(ran: readonly Ran[], wanted: readonly string[]): readonly Row[] {
  const rows = ran.map(rowOf)
  const known = new Set(rows.map((row) => numberOf(row.case)))
  const missing = wanted
    .filter((number) => !known.has(number))
    .map((number): Row => ({
      case: number,
      tried: '',
      happened: '',
      outcome: 'failed',
      reason: 'No test of this number ran.',
    }))
  return [...rows, ...missing].sort((one, other) => (one.case < other.case ? -1 : 1))
}

function rowOf({ name, state, account, note, errors }: Ran): Row {
  const tried = account?.tried ?? ''
  const happened = account?.happened.join(' ') ?? ''
  const row = { case: name, tried, happened }
  if (state === 'passed') return { ...row, outcome: 'passed', reason: null }
  // Only a case itself can say that it cannot be exercised: one that never began has failed.
  if (state === 'skipped' && note !== null) return { ...row, outcome: 'skipped', reason: note }
  const reason = errors.map(brief).join(' / ') || 'It did not run: what it needs could not be set up.'
  return { ...row, outcome: 'failed', reason }
}

function numberOf(name: string): string {
  return name.split(' ', 1)[0] ?? ''
}

/** An error in a line. */
function brief(error: string): string {
  const line = error.replaceAll(/\s+/g, ' ').trim()
  return line.length <= 600 ? line : `${line.slice(0, 599)}…`
}
