import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../src/domain/failure.ts'
import { openLab, type Lab } from './lab.ts'
import type { Measurement, Outcome } from './measurement.ts'
import { agentStep } from './measurements/agent-step.ts'
import { bigTree } from './measurements/big-tree.ts'
import { board } from './measurements/board.ts'
import { gateway } from './measurements/gateway.ts'
import { hardening } from './measurements/hardening.ts'
import { http } from './measurements/http.ts'
import { memory } from './measurements/memory.ts'
import { merge } from './measurements/merge.ts'
import { redaction } from './measurements/redaction.ts'
import { restart } from './measurements/restart.ts'
import { search } from './measurements/search.ts'
import { stepOverhead } from './measurements/step-overhead.ts'
import { stopLatency } from './measurements/stop-latency.ts'
import { streams } from './measurements/streams.ts'
import { throughput } from './measurements/throughput.ts'
import { transitions } from './measurements/transitions.ts'
import { benchOptions, type BenchOptions } from './options.ts'
import { hostOf } from '../support/host.ts'
import { page } from './page.ts'
import { type Measured, rowOf, tableOf } from './row.ts'

/** In the order of the design's table, and what else was promised. */
const all: readonly Measurement[] = [
  stepOverhead,
  agentStep,
  throughput,
  stopLatency,
  transitions,
  restart,
  memory,
  bigTree,
  merge,
  hardening,
  gateway,
  redaction,
  search,
  http,
  board,
  streams,
]

const root = join(import.meta.dirname, '../../..')

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(): Promise<number> {
  const options = benchOptions(
    process.argv.slice(2),
    all.flatMap(({ names }) => names),
  )
  if (typeof options === 'string') {
    say(options)
    return 2
  }
  const lab = await openLab(say)
  const interrupted = clearUpOnSignals(lab)
  const outcome = await measure(lab, options)
  // A signal has cleared the ground under the measurement: what it came to is worth nothing, and the process is about to end.
  if (interrupted()) return new Promise(() => undefined)
  await lab[Symbol.asyncDispose]()
  write(outcome)
  if (!options.publish) return outcome.complete ? 0 : 1
  if (!outcome.complete) {
    say('Not published: something could not be measured. Mend that, and run it again.')
    return 1
  }
  writeFileSync(
    join(root, 'docs/bench-report.md'),
    page(outcome, await hostOf(), new Date().toISOString().slice(0, 10)),
  )
  return 0
}

interface Measurements extends Outcome {
  /** False where something failed. */
  readonly complete: boolean
}

/** One measurement after the other; what fails is said and left out. */
async function measure(lab: Lab, { only, rounds }: BenchOptions): Promise<Measurements> {
  const measured: Measured[] = []
  const notes: string[] = []
  let complete = true
  for (const one of all) {
    if (only !== null && !one.names.some((name) => only.has(name))) continue
    say(`measuring ${one.names.join(', ')}`)
    try {
      const outcome = await one.run(lab, rounds ?? one.rounds)
      say(tableOf(outcome.measured))
      measured.push(...outcome.measured)
      notes.push(...outcome.notes.map((note) => `${one.names[0] ?? ''}: ${note}`))
    } catch (error) {
      complete = false
      notes.push(`${one.names.join(', ')}: not measured. ${messageOf(error)}`)
    }
  }
  return { measured, notes, complete }
}

/** Prints the table, and writes it to `.results/bench.json`. */
function write({ measured, notes }: Measurements): void {
  process.stdout.write(`${tableOf(measured)}\n${notes.join('\n')}\n`)
  const folder = join(root, '.results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(measured.map(rowOf), null, 2)}\n`)
}

/** A signal removes all that the run has made and ends the process; a second one ends it at once. */
function clearUpOnSignals(lab: Lab): () => boolean {
  let interrupted = false
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.on(signal, () => {
      if (interrupted) process.exit(code)
      interrupted = true
      say('clearing up')
      Promise.resolve(lab[Symbol.asyncDispose]())
        .catch((error: unknown) => say(messageOf(error)))
        .finally(() => process.exit(code))
    })
  return () => interrupted
}

process.exitCode = await main().catch((error: unknown) => {
  say(messageOf(error))
  return 1
})
