import type { Checkpoint } from '../../domain/task.ts'
import { capital, stepName } from '../words.ts'

type Row = Pick<Checkpoint, 'step' | 'attempt' | 'startedAt' | 'test'>

/**
 * What a try is called among all of its task. Those of step 0 belong to no step: setup and the test on the base before the
 * first one, a setup that had to run again, and the test of what a merge comes to. Each is a row, whose number counts no
 * attempt at the same.
 */
export function tryName({ step, attempt, startedAt, test }: Row, all: readonly Row[]): string {
  if (step > 0) return `${capital(stepName(step))}${attempt > 1 ? `, attempt ${attempt}` : ''}`
  const first = all.filter((row) => row.step > 0).map((row) => row.startedAt)
  if (startedAt <= Math.min(...first)) return capital(stepName(0))
  return test === null ? 'Setup, once more' : 'Test of what is merged'
}
