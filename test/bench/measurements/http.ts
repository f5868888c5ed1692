import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.ts'
import { thisProcess } from '../../../src/config/environment.ts'
import type { Lab } from '../lab.ts'
import { load } from '../load.ts'
import type { Measurement } from '../measurement.ts'
import { premises } from '../plane.ts'
import { populate } from '../populated.ts'
import { smallRepository } from '../repositories.ts'
import { serve } from '../served.ts'
import { median, percentile } from '../statistics.ts'

const taskCount = 100_000
const page = '/v1/tasks?limit=50'
const connections = 16
/** How long each is asked in a round, ms. */
const busyMs = 3000
const steadyMs = 5000
const perSecond = 200

/**
 * Lists and submissions of a control plane with many tasks, against a bare server that sends the same bytes and writes
 * one row. What is submitted is a draft: this is about the answer, not about boxes beside it.
 */
export const http: Measurement = {
  names: ['list_tasks', 'post_task'],
  rounds: 5,
  async run(lab, rounds) {
    const place = premises(lab, 'http', 1)
    await populate(lab, place, taskCount)
    const repository = smallRepository(lab)
    await using served = await serve(lab, place)
    const { controlSocket } = loadConfig(place, thisProcess())
    await using ours = load(controlSocket, connections)
    const text = JSON.stringify({ tasks: await served.client.tasks({ limit: 50 }), next: null })
    await using bare = await bareServer(lab, text)
    await using floor = load(bare.socket, connections)
    const rates = { ours: [] as number[], floor: [] as number[] }
    const times = { ours: [] as number[], floor: [] as number[] }
    for (let round = 0; round <= rounds; round += 1) {
      const rate = { ours: await ours.busy(page, busyMs), floor: await floor.busy(page, busyMs) }
      const submission = (index: number) => ({
        path: '/v1/tasks',
        body: JSON.stringify({
          goal: `Say hello ${round} ${index}`,
          repository,
          agent: { name: 'command', argv: ['true'] },
          test: null,
          draft: true,
        }),
      })
      const time = {
        ours: await ours.steady(submission, perSecond, steadyMs),
        floor: await floor.steady(submission, perSecond, steadyMs),
      }
      // The first round warms everything up.
      if (round === 0) continue
      rates.ours.push(rate.ours)
      rates.floor.push(rate.floor)
      times.ours.push(...time.ours)
      times.floor.push(...time.floor)
    }
    return {
      measured: [
        {
          name: 'list_tasks',
          value: median(rates.ours),
          unit: '/s',
          floor: median(rates.floor),
          reach: { of: 'value', limit: 'least', than: 2000 },
        },
        {
          name: 'post_task',
          value: percentile(times.ours, 0.99),
          unit: 'ms',
          floor: percentile(times.floor, 0.99),
          reach: { of: 'value', limit: 'most', than: 15 },
        },
      ],
      notes: [
        `GET ${page} (${(text.length / 1000).toFixed(0)} kB) on ${connections} connections with ${taskCount} tasks; ` +
          `the one that asks has one of the machine's cores`,
        `POST /v1/tasks, ${perSecond} a second: p99 of ${times.ours.length}, p50 ${median(times.ours).toFixed(1)} ms`,
      ],
    }
  },
}

async function bareServer(lab: Lab, text: string): Promise<AsyncDisposable & { readonly socket: string }> {
  const folder = lab.fresh('bare')
  const socket = join(folder, 's')
  const child = fork(join(import.meta.dirname, '../bare-server.js'), [socket, join(folder, 'floor.db')])
  lab.atEnd(() => void child.kill())
  await once(child, 'message')
  child.send(text)
  await once(child, 'message')
  return {
    socket,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
