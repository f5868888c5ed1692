import type { EgressRow } from '../../domain/egress.ts'
import type { Paint } from '../terminal.ts'
import { columns, firstLine, moment, plain } from './text.ts'

/** One line for each thing that a box asked for, under the name of the box. */
export function egressLines(rows: readonly EgressRow[], paint: Paint): readonly string[] {
  const boxes = [...new Set(rows.map(({ box }) => box))]
  return boxes.flatMap((box, index) => [
    ...(index === 0 ? [] : ['']),
    paint.bold(`box ${plain(box)}`),
    ...columns(rows.filter((row) => row.box === box).map(cells)).map((line) => `  ${line}`),
  ])
}

function cells(row: EgressRow): readonly string[] {
  return [moment(row.at), row.verdict, askedFor(row), moved(row), firstLine(`${row.rule}: ${row.text}`, 200)]
}

function askedFor({ kind, method, host, port, path }: EgressRow): string {
  const place = port === null ? host : `${host}:${port}`
  const what = kind === 'tunnel' ? 'CONNECT' : (method ?? kind)
  return firstLine(`${what} ${place}${path ?? ''}`, 120)
}

function moved({ bytesUp, bytesDown }: EgressRow): string {
  return bytesUp === null && bytesDown === null ? '-' : `${bytesUp ?? 0} up, ${bytesDown ?? 0} down`
}
