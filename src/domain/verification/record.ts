import type { ClosingAttestation, EgressMark, TaskRecord } from '../attestation.ts'
import { stepName, type VerificationFinding } from './evidence.ts'

interface Marked {
  readonly name: string
  readonly hash: string
}

/** What is no longer as it was when the task came to rest. `whole`: nothing may have been added since either. */
export function checkRecord(
  { record }: ClosingAttestation,
  now: TaskRecord,
  whole: boolean,
): readonly VerificationFinding[] {
  return [
    ...(whole ? checkTask(record, now) : []),
    ...compare('runtime_task_checkpoints', points(record), points(now), whole),
    // A surface that was open then may be used or closed later.
    ...(whole ? compare('runtime_task_decisions', surfaces(record), surfaces(now), true) : []),
    ...compare('egress_log', boxes(record.egress), boxes(now.egress), whole),
  ]
}

/** What boxes asked for, against what was attested of them. */
export function checkEgress(
  attested: readonly EgressMark[],
  names: readonly string[],
  now: TaskRecord,
): readonly VerificationFinding[] {
  const found = now.egress.filter(({ box }) => names.includes(box))
  return compare('egress_log', boxes(attested), boxes(found), true)
}

function checkTask(attested: TaskRecord, now: TaskRecord): readonly VerificationFinding[] {
  if (now.task === null || attested.task === null) return []
  const columns = new Set([...Object.keys(attested.task), ...Object.keys(now.task)])
  const changed = [...columns].filter((name) => attested.task?.[name] !== now.task?.[name])
  return changed.map((name) => ({
    where: 'task',
    text: `The column ${name} of its row in runtime_tasks was changed.`,
  }))
}

function compare(
  table: string,
  attested: readonly Marked[],
  now: readonly Marked[],
  whole: boolean,
): readonly VerificationFinding[] {
  const findings: VerificationFinding[] = []
  for (const { name, hash } of attested) {
    const found = now.find((each) => each.name === name)
    if (found === undefined) findings.push({ where: name, text: `What ${table} had of it is gone.` })
    else if (found.hash !== hash) findings.push({ where: name, text: `What ${table} has of it was changed.` })
  }
  if (!whole) return findings
  for (const { name } of now) {
    if (!attested.some((each) => each.name === name))
      findings.push({ where: name, text: `What ${table} has of it was put in afterwards.` })
  }
  return findings
}

const points = ({ checkpoints }: TaskRecord): readonly Marked[] =>
  checkpoints.map((row) => ({ name: stepName(row), hash: row.hash }))

const surfaces = ({ decisions }: TaskRecord): readonly Marked[] =>
  decisions.map(({ id, hash }) => ({ name: `decision ${id}`, hash }))

const boxes = (marks: readonly EgressMark[]): readonly Marked[] =>
  marks.map(({ box, rows, hash }) => ({ name: `egress of box ${box}`, hash: `${rows} ${hash}` }))
