import { readdirSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { docker } from '../support/docker.ts'
import { openTestPlane, sh } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { attack } from './attack.ts'
import { smallDisk } from './disks.ts'

// More than there is room for: of disk, and of workers.

attack(
  'A095 a full disk',
  'Fill the disk of the data folder from a box, below the limit of free space.',
  async ({ saw, cannot }) => {
    const disk = smallDisk(400)
    if (disk === null) return cannot('This process may not mount a disk of its own on the host.')
    const plane = await openTestPlane('', disk.folder)
    try {
      const task = await plane.run({
        // What is to be kept of such a step finds room: with nothing ignored its keeping would be tried again for a minute.
        repo: aRepository({ '.gitignore': 'junk*\n' }),
        argv: sh(
          'i=0; while :; do head -c 50000000 /dev/zero > junk$i 2>/dev/null || sleep 1; i=$((i+1)); done',
        ),
        minutes: 1,
      })
      expect([task.status, task.halt?.reason]).toEqual([expect.stringMatching(/FAILED|BLOCKED/), 'disk'])
      saw(`The step ended and the task says: ${task.status}, ${task.halt?.text ?? ''}`)
      await plane.reopen()
      const again = await plane.client.task(task.id)
      expect(again).toEqual(task)
      saw('The database opened again with the task as it was.')
      await plane.client.act(task.id, { act: 'discard' })
      const other = await plane.run({ repo: aRepository(), argv: sh('echo x > x.txt') })
      expect(other.status).toBe('APPLIED')
      saw('After a discard there was room again, and the next task was done.')
    } finally {
      await plane.close()
      disk[Symbol.dispose]()
    }
  },
  120,
)

interface BoxEvent {
  readonly Action: string
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> }
}

/**
 * Listens to the starts and ends of boxes from now on, for what the engine keeps of them ends after 256. Answers how many of these
 * tasks ran at once, at most, until then.
 */
async function watchBoxes(): Promise<(ids: readonly string[]) => number> {
  const filters = { label: ['cofferdam.managed=1'], event: ['start', 'die'] }
  const told = await docker.getEvents({ filters: JSON.stringify(filters) })
  const events: BoxEvent[] = []
  createInterface({ input: told }).on('line', (line) => events.push(JSON.parse(line) as BoxEvent))
  return (ids) => {
    told.removeAllListeners()
    ;(told as IncomingMessage).destroy()
    let running = 0
    let most = 0
    for (const { Action, Actor } of events) {
      if (!ids.includes(Actor.Attributes['cofferdam.task'] ?? '')) continue
      running += Action === 'start' ? 1 : -1
      most = Math.max(most, running)
    }
    return most
  }
}

attack(
  'A099 fifty steps at once',
  'Submit fifty tasks to four workers, one of them long.',
  async ({ saw }) => {
    const plane = await openTestPlane()
    try {
      const repo = aRepository()
      const mostAtOnce = await watchBoxes()
      const ids: string[] = []
      const long = await plane.submit({ repo, argv: sh('sleep 8; echo x > x.txt') })
      for (let n = 0; n < 49; n += 1)
        ids.push((await plane.submit({ repo, argv: sh(`echo ${n} > n${n}.txt`) })).id)
      const ends: { id: string; begun: number; status: string }[] = []
      for (const id of ids) {
        const task = await plane.settled(id as typeof long.id)
        const claimed = (await plane.client.events(task.id, 0)).find(({ type }) => type === 'claimed')
        ends.push({ id, begun: claimed?.at ?? 0, status: task.status })
      }
      await plane.settled(long.id)
      const most = mostAtOnce([...ids, long.id])
      expect(ends.filter(({ status }) => status !== 'APPLIED')).toEqual([])
      expect([most > 1, most <= 4]).toEqual([true, true])
      const begun = ends.map(({ begun }) => begun)
      expect(begun).toEqual([...begun].sort((a, b) => a - b))
      saw(
        `All fifty were applied; never more than ${most} boxes ran at once, and they were claimed in the order in which they came, past the long one.`,
      )
      expect(readdirSync(join(plane.config.dataFolder, 'tasks'))).toHaveLength(50)
    } finally {
      await plane.close()
    }
  },
  300,
)
