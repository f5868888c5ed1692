import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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

attack(
  'A099 fifty steps at once',
  'Submit fifty tasks to four workers, one of them long.',
  async ({ saw }) => {
    const plane = await openTestPlane()
    try {
      const repo = aRepository()
      const ids: string[] = []
      const long = await plane.submit({ repo, argv: sh('sleep 8; echo x > x.txt') })
      for (let n = 0; n < 49; n += 1)
        ids.push((await plane.submit({ repo, argv: sh(`echo ${n} > n${n}.txt`) })).id)
      let most = 0
      const over = new AbortController()
      const looking = (async () => {
        while (!over.signal.aborted) {
          const running = await docker.listContainers({
            filters: { label: ['cofferdam.managed=1'], status: ['running'] },
          })
          const ours = running.filter(
            ({ Labels }) =>
              ids.includes(Labels['cofferdam.task'] ?? '') || Labels['cofferdam.task'] === long.id,
          )
          most = Math.max(most, ours.length)
          await sleep(50)
        }
      })()
      const ends: { id: string; begun: number; status: string }[] = []
      for (const id of ids) {
        const task = await plane.settled(id as typeof long.id)
        const claimed = (await plane.client.events(task.id, 0)).find(({ type }) => type === 'claimed')
        ends.push({ id, begun: claimed?.at ?? 0, status: task.status })
      }
      await plane.settled(long.id)
      over.abort()
      await looking
      expect(ends.filter(({ status }) => status !== 'APPLIED')).toEqual([])
      expect(most).toBeLessThanOrEqual(4)
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
  150,
)
