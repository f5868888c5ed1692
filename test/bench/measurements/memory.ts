import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement } from '../measurement.ts'
import { premises, request } from '../plane.ts'
import { smallRepository } from '../repositories.ts'
import { residentMb } from '../resident.ts'
import { type Served, serve } from '../served.ts'
import { median } from '../statistics.ts'

const boxes = 8
/**
 * How long it rests before it counts as idle, ms: what a start leaves to be thrown away goes after a quarter of a minute
 * without work. And how long the flood goes on.
 */
const restMs = 20_000
const floodMs = 10_000

/** Prints as fast as it can, for ever. */
const agent = `yes 'A line of the length that a test runner prints, with a path/to/a/file.ts:12:34 in it.'`

/** What the control plane's process holds in memory, idle and with eight boxes that flood their output. */
export const memory: Measurement = {
  names: ['memory_idle', 'memory_flood'],
  rounds: 1,
  async run(lab, rounds) {
    const repository = smallRepository(lab)
    const idle: number[] = []
    const flood: number[] = []
    const bare: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await bareNode())
      await using served = await serve(lab, premises(lab, 'memory', boxes))
      await sleep(restMs)
      idle.push(residentMb(served.pid))
      flood.push(await peakOfFlood(served, repository))
    }
    const floor = median(bare)
    return {
      measured: [
        {
          name: 'memory_idle',
          value: Math.max(...idle),
          unit: 'MB',
          floor,
          reach: { of: 'value', limit: 'most', than: 120 },
        },
        {
          name: 'memory_flood',
          value: Math.max(...flood),
          unit: 'MB',
          floor,
          reach: { of: 'value', limit: 'most', than: 200 },
        },
      ],
      notes: [`the floor is a Node process with nothing to do; the flood's peak in ${floodMs / 1000} s`],
    }
  },
}

async function peakOfFlood({ client, pid }: Served, repository: string): Promise<number> {
  const wanted = request(repository, agent)
  const submitted = await Promise.all(Array.from({ length: boxes }, () => client.submit(wanted)))
  let peak = 0
  let until = Infinity
  for (; Date.now() < until; await sleep(100)) {
    peak = Math.max(peak, residentMb(pid))
    if (until !== Infinity) continue
    const tasks = await Promise.all(submitted.map(({ task }) => client.task(task.id)))
    if (tasks.some(({ halt }) => halt !== null)) throw new Error('a flood ended by itself')
    // A heartbeat has charged time: each of the boxes runs.
    if (tasks.every(({ spent }) => spent.ms > 0)) until = Date.now() + floodMs
  }
  for (const { task } of submitted) await client.act(task.id, { act: 'stop', text: null })
  return peak
}

async function bareNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await sleep(restMs)
  const resident = residentMb(child.pid ?? 0)
  child.kill()
  await once(child, 'exit')
  return resident
}
