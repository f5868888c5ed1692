import { sha256 } from '../canonical-json.ts'
import type { Task } from '../task.ts'
import { type Attestation, type EgressMark, type TaskRecord, wholeRow } from '../attestation.ts'
import { stepName, type VerificationFinding } from './evidence.ts'

interface Marked {
  readonly name: string
  readonly hash: string
}

/** What is no longer as it was when that was attested. `whole`: nothing may have been added since either. */
export function checkRecord(
  { record }: { readonly record: TaskRecord },
  now: TaskRecord,
  whole: boolean,
): readonly VerificationFinding[] {
  return [
    ...(whole ? checkTask(record, now) : []),
    ...compare('runtime_task_checkpoints', points(record), points(now), whole),
    ...compare('runtime_task_decisions', ...surfaces(record, now, whole), whole),
    ...compare('egress_log', boxes(record.egress), boxes(now.egress), whole),
  ]
}

/** A task that rests is as its last attestation says. */
export function checkRest(
  task: Task,
  last: Attestation | null,
  now: TaskRecord,
): readonly VerificationFinding[] {
  if (last?.kind === 'closing' && last.events.upTo === task.version) return checkRecord(last, now, true)
  return [
    { where: 'attestations', text: 'The chain does not end with what was attested when it came to rest.' },
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

/** The hash of a cell that holds nothing. */
const emptyCell = sha256('[null]')

function checkTask(attested: TaskRecord, now: TaskRecord): readonly VerificationFinding[] {
  if (now.task === null || attested.task === null) return []
  const columns = new Set([...Object.keys(attested.task), ...Object.keys(now.task)])
  // A column that is younger than the attestation was empty then.
  const then = (name: string): string => attested.task?.[name] ?? emptyCell
  const changed = [...columns].filter((name) => then(name) !== now.task?.[name])
  return changed.map((name) => ({
    where: 'task',
    text: `${name === wholeRow ? 'Its row' : `The column ${name} of its row`} in runtime_tasks was changed.`,
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

/** What was offered, and what was decided: a surface that was open then may be used or closed later. */
function surfaces(
  attested: TaskRecord,
  now: TaskRecord,
  whole: boolean,
): readonly [readonly Marked[], readonly Marked[]] {
  const open = new Set(whole ? [] : attested.decisions.filter((each) => each.open).map(({ id }) => id))
  const marked = ({ decisions }: TaskRecord): readonly Marked[] =>
    decisions.map(({ id, offer, hash }) => ({ name: `decision ${id}`, hash: open.has(id) ? offer : hash }))
  return [marked(attested), marked(now)]
}

const boxes = (marks: readonly EgressMark[]): readonly Marked[] =>
  marks.map(({ box, rows, hash }) => ({ name: `egress of box ${box}`, hash: `${rows} ${hash}` }))
