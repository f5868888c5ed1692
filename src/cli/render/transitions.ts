import type { Row } from '../../domain/transition/table.ts'
import { columns } from './text.ts'

/** The table of states, for people: of the rows that fit, the first counts. */
export function transitionLines(rows: readonly Row[]): readonly string[] {
  const head = ['FROM', 'ON', 'TO', 'PHASE', 'WHEN', 'NOTE']
  const cells = rows.map(({ from, on, to, phase, when, note }) => [
    from.join(', '),
    on,
    to,
    phase ?? '-',
    when ?? '',
    note,
  ])
  return columns([head, ...cells])
}
