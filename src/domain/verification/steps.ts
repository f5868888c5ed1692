import { rowHash, type StepAttestation, type TaskRecord } from '../attestation.ts'
import type { Checkpoint } from '../task.ts'
import type { Link } from './chain.ts'
import { stepName, type VerificationFinding } from './evidence.ts'
import { checkEgress } from './record.ts'

/** A step's attestation with its hash and its row. */
export interface AttestedStep {
  readonly attestation: StepAttestation
  readonly hash: string
  /** Null where it is gone. */
  readonly row: Checkpoint | null
}

export function stepsOf(links: readonly Link[], rows: readonly Checkpoint[]): readonly AttestedStep[] {
  return links.flatMap(({ attestation, hash }) => {
    if (attestation.kind !== 'step') return []
    const row = rows.find((each) => sameAttempt(each, attestation)) ?? null
    return [{ attestation, hash, row }]
  })
}

/** Each attempt that came to an end has one attestation, and its row and what its boxes asked for are as attested. */
export function checkSteps(
  steps: readonly AttestedStep[],
  rows: readonly Checkpoint[],
  record: TaskRecord,
): readonly VerificationFinding[] {
  const findings: VerificationFinding[] = []
  for (const { attestation, row } of steps) {
    const where = stepName(attestation)
    const names = attestation.boxes.map(({ name }) => name)
    findings.push(...checkEgress(attestation.egress, names, record))
    if (row === null) {
      findings.push({ where, text: 'What runtime_task_checkpoints had of it is gone.' })
      continue
    }
    if (rowHash(row) !== attestation.row)
      findings.push({ where, text: 'What runtime_task_checkpoints has of it was changed.' })
    if (!isCommitAsAttested(attestation, row))
      findings.push({ where, text: 'The commit in runtime_task_checkpoints was changed.' })
  }
  for (const row of rows) {
    const count = steps.filter(({ attestation }) => sameAttempt(row, attestation)).length
    const where = stepName(row)
    if (wantsAttestation(row) && count === 0)
      findings.push({
        where,
        text: 'It ended with a result and has no attestation: it is from before there were any, or that was taken out.',
      })
    if (count > 1) findings.push({ where, text: `It has ${count} attestations.` })
  }
  return findings
}

/** Where the branch has a commit of the step, that is looked at with the branch. */
function isCommitAsAttested({ candidate }: StepAttestation, { commit }: Checkpoint): boolean {
  if (candidate === null) return commit === null
  return candidate.changed ? commit !== null : commit === candidate.parent
}

function wantsAttestation({ step, state, violations }: Checkpoint): boolean {
  if (step === 0) return false
  return state === 'kept' || state === 'partial' || (state === 'dropped' && violations.length > 0)
}

function sameAttempt(
  a: Pick<Checkpoint, 'step' | 'attempt'>,
  b: Pick<StepAttestation, 'step' | 'attempt'>,
): boolean {
  return a.step === b.step && a.attempt === b.attempt
}
