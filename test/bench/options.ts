import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Names of what to measure; null is everything. */
  readonly only: ReadonlySet<string> | null
  /** Rounds of each measurement; null leaves it to each. */
  readonly rounds: number | null
  /** Whether docs/bench-report.md is written, which holds all or nothing. */
  readonly publish: boolean
}

/** Reads the command line; a sentence where it is wrong. */
export function benchOptions(args: readonly string[], known: readonly string[]): BenchOptions | string {
  const usage = `Usage: npm run bench -- [--only name,...] [--rounds N] | --publish. The names are: ${known.join(', ')}.`
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { only: { type: 'string' }, rounds: { type: 'string' }, publish: { type: 'boolean' } },
    })
    const only = values.only === undefined ? null : new Set(values.only.split(',').filter(Boolean))
    const strange = [...(only ?? [])].filter((name) => !known.includes(name))
    if (strange.length > 0) return `Nothing is measured under the name ${strange.join(', ')}. ${usage}`
    const rounds = values.rounds === undefined ? null : Number(values.rounds)
    if (rounds !== null && !(Number.isInteger(rounds) && rounds >= 1))
      return `--rounds is 1 or more. ${usage}`
    const publish = values.publish === true
    if (publish && (only !== null || rounds !== null))
      return `What is published is all of it: --publish goes with nothing else. ${usage}`
    return { only, rounds, publish }
  } catch {
    return usage
  }
}
