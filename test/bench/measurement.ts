import type { Lab } from './lab.ts'
import type { Measured } from './row.ts'

export interface Outcome {
  readonly measured: readonly Measured[]
  /** Sentences under the table: where the time goes, how the spread was. */
  readonly notes: readonly string[]
}

/** What is measured in one go, because it needs the same surroundings. */
export interface Measurement {
  readonly names: readonly string[]
  /** Rounds that are enough for a steady middle. */
  readonly rounds: number
  run(lab: Lab, rounds: number): Promise<Outcome>
}
