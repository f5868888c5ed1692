import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../../src/config/load.ts'
import { thisProcess } from '../../../src/config/environment.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Measurement } from '../measurement.ts'
import { premises, request } from '../plane.ts'
import { smallRepository } from '../repositories.ts'
import { residentMb } from '../resident.ts'
import { type Served, serve } from '../served.ts'
import { median, percentile } from '../statistics.ts'

const readers = 500
const measuredMs = 20_000
/** Until everything that is made once is made, ms. */
const settleMs = 5000

/** Says ten times a second what time it is, ms. */
const agent = `while :; do date +%s%3N; sleep 0.1; done`

/** From a line that a box prints to those who look at its task, many against one. */
export const streams: Measurement = {
  names: ['stream_delivery', 'stream_memory'],
  rounds: 1,
  async run(lab, rounds) {
    const place = premises(lab, 'streams', 1)
    const repository = smallRepository(lab)
    await using served = await serve(lab, place)
    const { controlSocket } = loadConfig(place, thisProcess())
    const few: number[] = []
    const many: number[] = []
    const grown: { begin: number; end: number }[] = []
    for (let round = 0; round < rounds; round += 1) {
      const { task } = await served.client.submit(request(repository, agent))
      few.push(...(await delivery(served, controlSocket, task.id, 1)).times)
      const all = await delivery(served, controlSocket, task.id, readers)
      many.push(...all.times)
      grown.push(all)
      await served.client.act(task.id, { act: 'stop', text: null })
    }
    return {
      measured: [
        {
          name: 'stream_delivery',
          value: percentile(many, 0.99),
          unit: 'ms',
          floor: percentile(few, 0.99),
          reach: { of: 'value', limit: 'most', than: 250 },
        },
        {
          name: 'stream_memory',
          value: Math.max(...grown.map(({ end }) => end)),
          unit: 'MB',
          floor: Math.max(...grown.map(({ begin }) => begin)),
          reach: { of: 'ratio', limit: 'most', than: 1.1 },
        },
      ],
      notes: [
        `a line of a box ten times a second to ${readers} readers: p99 of ${many.length}, p50 ${median(many).toFixed(0)} ms; the floor is one reader, p50 ${median(few).toFixed(0)}`,
        `memory of the process with ${readers} readers, after ${measuredMs / 1000} s against after the first ${settleMs / 1000}`,
      ],
    }
  },
}

interface Delivery {
  /** Of each line to each reader, ms. */
  readonly times: readonly number[]
  /** Memory of the process when it had settled and at the end, MB. */
  readonly begin: number
  readonly end: number
}

async function delivery({ pid }: Served, socketPath: string, id: TaskId, count: number): Promise<Delivery> {
  const times: number[] = []
  let counts = false
  const seen = (line: string): void => {
    const said = /^data: .*"text":"(\d{13})\\n"/.exec(line)?.[1]
    if (counts && said !== undefined) times.push(Date.now() - Number(said))
  }
  const streams = await Promise.all(
    Array.from({ length: count }, () => openStream(socketPath, `/v1/tasks/${id}/stream`, seen)),
  )
  await sleep(settleMs)
  const begin = residentMb(pid)
  counts = true
  await sleep(measuredMs)
  counts = false
  const end = residentMb(pid)
  for (const stream of streams) stream.destroy()
  const least = (count * measuredMs) / 200
  if (times.length < least) throw new Error(`only ${times.length} lines came through, of ${2 * least}`)
  return { times, begin, end }
}

/** Tells `seen` of each line that comes. */
async function openStream(
  socketPath: string,
  path: string,
  seen: (line: string) => void,
): Promise<IncomingMessage> {
  const asked = get({ socketPath, path, agent: false, headers: { host: 'cofferdam' } })
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  if (answer.statusCode !== 200) throw new Error(`a stream was answered with ${answer.statusCode}`)
  let rest = ''
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) seen(line)
  })
  // Ended by us, in the middle.
  answer.on('error', () => undefined)
  return answer
}
