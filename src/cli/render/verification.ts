import { counted } from '../../domain/text.ts'
import type { Verification } from '../../domain/verification/verify.ts'
import type { Paint } from '../terminal.ts'
import { plain } from './text.ts'

/** Whether a task is as it was attested, and if not, what was changed where. */
export function verificationLines(found: Verification, paint: Paint): readonly string[] {
  const { task, attestations, findings, notes } = found
  const chain = counted(attestations, 'attestation')
  const head = found.holds
    ? `${paint.green('✔')} Task ${task} is as it was attested: ${chain}, each signed and in order.`
    : `${paint.red('✖')} Task ${task} is not as it was attested (${chain}):`
  return [
    head,
    ...findings.map(({ where, text }) => `  ${paint.bold(plain(where))}: ${plain(text)}`),
    ...notes.map((note) => `  ${paint.yellow('!')} ${plain(note)}`),
    ...(found.holds ? [] : [next]),
  ]
}

const next =
  'Merge nothing of it before it is clear who changed this. Keep a copy of the data folder as it is; then put a copy from ' +
  'before in its place, as docs/operating.md says, or run the goal again as a new task.'
