import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../src/domain/failure.ts'
import { openLab, type Lab } from './lab.ts'
import type { Measurement } from './measurement.ts'
import { bigTree } from './measurements/big-tree.ts'
import { memory } from './measurements/memory.ts'
import { restart } from './measurements/restart.ts'
import { stepOverhead } from './measurements/step-overhead.ts'
import { stopLatency } from './measurements/stop-latency.ts'
import { throughput } from './measurements/throughput.ts'
import { transitions } from './measurements/transitions.ts'
import { benchOptions, type BenchOptions } from './options.ts'
import { type Measured, rowOf, tableOf } from './row.ts'

/** In the order of the design's table. */
const all: readonly Measurement[] = [
  stepOverhead,
  throughput,
  stopLatency,
  transitions,
  restart,
  memory,
  bigTree,
]

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
  const closing = clearUpOnSignals(lab)
  try {
    const complete = await measure(lab, options)
    return complete ? 0 : 1
  } finally {
    await closing()
  }
}

/** One measurement after the other; what fails is said and left out. False where something failed. */
async function measure(lab: Lab, { only, rounds }: BenchOptions): Promise<boolean> {
  const measured: Measured[] = []
  const notes: string[] = []
  let complete = true
  for (const one of all) {
    if (only !== null && !one.names.some((name) => only.has(name))) continue
    say(`measuring ${one.names.join(', ')}`)
    try {
      const outcome = await one.run(lab, rounds ?? one.rounds)
      measured.push(...outcome.measured)
      notes.push(...outcome.notes.map((note) => `${one.names[0] ?? ''}: ${note}`))
    } catch (error) {
      complete = false
      notes.push(`${one.names.join(', ')}: not measured. ${messageOf(error)}`)
    }
  }
  process.stdout.write(`${tableOf(measured)}\n${notes.join('\n')}\n`)
  const folder = join(import.meta.dirname, '../../../.results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(measured.map(rowOf), null, 2)}\n`)
  return complete
}

/** @returns what clears up at the end; a signal does the same and ends the process */
function clearUpOnSignals(lab: Lab): () => Promise<void> {
  let cleared: Promise<void> | null = null
  const clear = (): Promise<void> => (cleared ??= Promise.resolve(lab[Symbol.asyncDispose]()))
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      say('clearing up')
      clear()
        .catch((error: unknown) => say(messageOf(error)))
        .finally(() => process.exit(code))
    })
  return clear
}

process.exitCode = await main()
