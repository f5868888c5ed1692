import Database from 'better-sqlite3'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { indexAll, manyTasks } from './many-tasks.ts'
import { openPlane, type Premises } from './plane.ts'

/** Lays out a data folder with so many tasks, indexed, of which none is to be worked on. */
export async function populate(lab: Lab, place: Premises, count: number): Promise<void> {
  lab.say(`making ${count} tasks`)
  const plane = await openPlane(lab, place, 'own')
  const { dataFolder } = plane.config
  await plane[Symbol.asyncDispose]()
  manyTasks(dataFolder, count)
  lab.say('indexing them')
  await indexAll(dataFolder)
  const db = new Database(join(dataFolder, 'cofferdam.db'))
  // The task that the others are copies of would be worked on.
  db.prepare(`UPDATE runtime_tasks SET status = 'REJECTED' WHERE status = 'PENDING'`).run()
  db.close()
}
