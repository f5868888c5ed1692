import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Peaks } from '../../domain/box.ts'
import type { Api } from './connect.ts'

export const noPeaks: Peaks = { memoryMb: null, pids: null, cpuMs: null }

// Where a container's control groups are, by version and driver.
const places = [
  '/sys/fs/cgroup/CONTROLLER/docker/ID',
  '/sys/fs/cgroup/docker/ID',
  '/sys/fs/cgroup/system.slice/docker-ID.scope',
]

// The kernel keeps the most of memory by itself; a box that is over in no time is not looked at.
const first = 50
const everyFile = 1000
const everyCall = 5000

/**
 * Looks at what a box uses while it runs: the files of its control groups where they can be read, else by asking the
 * engine. Returns what it has seen so far. Ends with `over`.
 */
export function samplePeaks(api: Api, id: string, over: AbortSignal): () => Peaks {
  let seen = noPeaks
  const sampling = async (): Promise<void> => {
    for (let pause = first; ;) {
      await sleep(pause, undefined, { signal: over })
      const read = readGroups(id)
      pause = read === null ? everyCall : everyFile
      seen = most(seen, read ?? (await ask(api, id)))
    }
  }
  sampling().catch(() => undefined)
  return () => seen
}

function most(a: Peaks, b: Peaks): Peaks {
  const larger = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? (x ?? y) : Math.max(x, y)
  return {
    memoryMb: larger(a.memoryMb, b.memoryMb),
    pids: larger(a.pids, b.pids),
    cpuMs: larger(a.cpuMs, b.cpuMs),
  }
}

/** What the control groups say; null where they cannot be read. */
function readGroups(id: string): Peaks | null {
  const read = (controller: string, names: readonly string[]): string | null => {
    for (const place of places)
      for (const name of names) {
        try {
          return readFileSync(`${place.replace('CONTROLLER', controller).replace('ID', id)}/${name}`, 'utf8')
        } catch {
          // Another version, or the box has ended.
        }
      }
    return null
  }
  const memory = read('memory', ['memory.max_usage_in_bytes', 'memory.peak', 'memory.current'])
  const pids = read('pids', ['pids.peak', 'pids.current'])
  const cpu = read('cpuacct', ['cpuacct.usage', 'cpu.stat'])
  if (memory === null && pids === null && cpu === null) return null
  return {
    memoryMb: memory === null ? null : inMib(Number(memory)),
    pids: pids === null ? null : Number(pids),
    cpuMs: cpu === null ? null : cpuMs(cpu),
  }
}

/** Nanoseconds of version 1, or the lines of version 2. */
function cpuMs(text: string): number {
  const micros = /^usage_usec (\d+)$/m.exec(text)?.[1]
  return Math.round(micros === undefined ? Number(text) / 1e6 : Number(micros) / 1e3)
}

async function ask({ docker, ask: call }: Api, id: string): Promise<Peaks> {
  try {
    const stats = await call('tell what a box uses', (limit) =>
      docker.getContainer(id).stats({ stream: false, 'one-shot': true, ...limit }),
    )
    return {
      memoryMb: inMib(stats.memory_stats.max_usage ?? stats.memory_stats.usage),
      pids: stats.pids_stats?.current ?? null,
      cpuMs: Math.round(stats.cpu_stats.cpu_usage.total_usage / 1e6),
    }
  } catch {
    return noPeaks
  }
}

function inMib(bytes: number | undefined): number | null {
  return bytes === undefined || !Number.isFinite(bytes) ? null : Math.ceil(bytes / (1024 * 1024))
}
