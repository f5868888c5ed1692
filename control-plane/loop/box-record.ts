import type { BoxEnd, BoxResult, BoxSpec } from '../../src/domain/box.ts'
import type { EgressCounts } from '../../src/domain/egress.ts'
import type { BoxRecord, Checkpoint } from '../../src/domain/task.ts'
import type { Planned } from './under-way.ts'
import type { Work } from './work.ts'

/** The row of an attempt whose box has ended, with what the box came to. */
export function withEnded<Row extends Planned>(work: Work, row: Row, result: BoxResult): Row {
  const { end, exitCode, peaks } = result
  return { ...row, boxes: [...row.boxes, recordOf(work, row.box, end, exitCode, peaks)] }
}

/** The row of an attempt that a halt has interrupted: a box that was under way was killed, and nobody has read it. */
export function withKilled(work: Work, row: Checkpoint): Checkpoint {
  const { box, boxes } = row
  if (box === null || boxes.some(({ name }) => name === box.name)) return row
  const peaks = { memoryMb: null, pids: null, cpuMs: null }
  return { ...row, boxes: [...boxes, recordOf(work, box, 'killed', null, peaks)] }
}

function recordOf(
  { deps }: Work,
  box: BoxSpec,
  end: BoxEnd,
  exitCode: number | null,
  peaks: BoxRecord['peaks'],
): BoxRecord {
  const { kind, name, image } = box
  return { kind, name, specHash: deps.specHash(box), image, end, exitCode, peaks, egress: egressOf(box) }
}

/** What a box did with its egress; null for a box without a channel. Nothing counts yet. */
function egressOf(_: BoxSpec): EgressCounts | null {
  return null
}
