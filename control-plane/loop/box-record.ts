import type { BoxSpec } from '../../src/domain/box.ts'
import type { BoxRecord, Checkpoint } from '../../src/domain/task.ts'
import type { Attended } from './box-run.ts'
import type { Planned } from './under-way.ts'
import type { Work } from './work.ts'

/** The row of an attempt whose box has ended, with what the box came to. */
export function withEnded<Row extends Planned>(work: Work, row: Row, result: Attended): Row {
  return { ...row, boxes: [...row.boxes, recordOf(work, row.box, result)] }
}

/** The row of an attempt that a halt has interrupted: a box that was under way was killed, and nobody has read it. */
export function withKilled(work: Work, row: Checkpoint): Checkpoint {
  const { box, boxes } = row
  if (box === null || boxes.some(({ name }) => name === box.name)) return row
  const peaks = { memoryMb: null, pids: null, cpuMs: null }
  // What it asked for is in the egress log; who counted it was interrupted too.
  const came = { end: 'killed', exitCode: null, peaks, egress: null } as const
  return { ...row, boxes: [...boxes, recordOf(work, box, came)] }
}

type Came = Pick<BoxRecord, 'end' | 'exitCode' | 'peaks' | 'egress'>

function recordOf({ deps }: Work, box: BoxSpec, { end, exitCode, peaks, egress }: Came): BoxRecord {
  const { kind, name, image } = box
  return { kind, name, specHash: deps.specHash(box), image, end, exitCode, peaks, egress }
}
