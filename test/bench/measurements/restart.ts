import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../../control-plane/store/open.ts'
import { hostPath } from '../../../src/config/places.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Task } from '../../../src/domain/task.ts'
import { foldersOf } from '../../../src/worktree/layout.ts'
import { anEvent } from '../../support/change.ts'
import { aBox } from '../../support/box.ts'
import { aCheckpoint, aTaskIdOf } from '../../support/task.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { installationOf, openPlane, premises, type Premises, request } from '../plane.ts'
import { smallRepository } from '../repositories.ts'
import { serve } from '../served.ts'
import { median } from '../statistics.ts'

const taskCount = 10_000
const inFlightCount = 50

/** From the start of the process to its word that it works, with many tasks and with none. */
export const restart: Measurement = {
  names: ['restart'],
  rounds: 5,
  async run(lab, rounds) {
    const full = premises(lab, 'restart', 2)
    const empty = premises(lab, 'restart-empty', 2)
    await populate(lab, full)
    const database = join(full.data, 'cofferdam.db')
    const copy = join(lab.fresh('restart-copy'), 'cofferdam.db')
    copyFileSync(database, copy)
    const ours: number[] = []
    const floors: number[] = []
    // The first round is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      // What a start puts into the queue again is in flight again.
      for (const end of ['', '-wal', '-shm']) rmSync(`${database}${end}`, { force: true })
      copyFileSync(copy, database)
      ours.push(await readyAfter(lab, full))
      floors.push(await readyAfter(lab, empty))
    }
    return {
      measured: [
        {
          name: 'restart',
          value: median(ours.slice(1)),
          unit: 'ms',
          floor: median(floors.slice(1)),
          reach: { of: 'value', limit: 'most', than: 1000 },
        },
      ],
      notes: [
        `of the process, Node's own start included; the longest of ${rounds} ${Math.max(...ours.slice(1)).toFixed(0)} ms; the floor is the same without tasks`,
      ],
    }
  },
}

async function readyAfter(lab: Lab, place: Premises): Promise<number> {
  await using served = await serve(lab, place)
  return served.readyMs
}

/** Fills a data folder as a crash in the middle of much work leaves it. */
async function populate(lab: Lab, place: Premises): Promise<void> {
  const { task, data } = await aRealTask(lab, place)
  using store = openStore(hostPath(join(data, 'cofferdam.db')))
  for (let index = 0; index < taskCount; index += 1) {
    const born = { ...task, id: aTaskIdOf(index + 1), createdAt: task.createdAt + index }
    const flying = index % (taskCount / inFlightCount) === 0
    const state: Partial<Task> = flying
      ? { status: 'RUNNING', phase: 'agent', leaseUntil: Date.now() }
      : { status: 'APPLIED', outcome: 'untested' }
    const checkpoint = aCheckpoint({
      taskId: born.id,
      state: flying ? 'open' : 'kept',
      box: aBox({ installation: installationOf(data), task: born.id, policy: task.policy }),
    })
    const after: Task = { ...born, ...state, branch: `cofferdam/${born.id}`, fence: 1, step: 1, attempt: 1 }
    store.write({ before: null, after, event: anEvent({ type: 'submitted' }), checkpoint })
    for (const folder of foldersOf(data, born.id)) mkdirSync(folder, { recursive: true })
  }
}

/** A task of this data folder as a submission makes it. */
async function aRealTask(lab: Lab, place: Premises): Promise<{ task: Task; data: HostPath }> {
  await using plane = await openPlane(lab, place, 'own')
  const { task } = await plane.client.submit(request(smallRepository(lab), 'exit 0'))
  await plane.client.act(task.id, { act: 'stop', text: null })
  return { task, data: plane.config.dataFolder }
}
