import Database from 'better-sqlite3'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrations } from '../../control-plane/store/migrations.ts'
import { restoreData } from '../../control-plane/main.ts'
import { thisProcess } from '../../src/config/environment.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { madeOlder } from '../support/older-format.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

let plane: TestPlane
beforeEach(async () => {
  plane = await openTestPlane()
})
afterEach(() => plane.close())

const formatOf = (file: string): unknown => {
  const db = new Database(file, { readonly: true })
  try {
    return db.pragma('user_version', { simple: true })
  } finally {
    db.close()
  }
}

function one(names: readonly string[]): string {
  const [name] = names
  if (name === undefined || names.length > 1) throw new Error(`not one: ${names.join(', ')}`)
  return name
}

/** The files of git's objects below a folder, each with the number of its names on the disk. */
const objectsIn = (folder: string): readonly (readonly [string, number])[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /objects\/(?:[0-9a-f]{2}|pack)\/./.test(name))
    .map((name) => [name, statSync(join(folder, name)).nlink] as const)

async function upgraded(format: number): Promise<void> {
  const repo = aRepository()
  const { dataFolder: data } = plane.config
  const { id } = await plane.submit({
    repo,
    test: 'true',
    steps: 5,
    argv: sh(`if [ -f one.txt ]; then sleep 3; echo two >two.txt; echo TASK_STATE: DONE
        else echo one >one.txt; echo TASK_STATE: CONTINUE; fi`),
  })
  const before = await plane.until(id, ({ step, phase }) => step === 2 && phase === 'agent')
  // Ended as an operator does it for an upgrade: the box of step 2 runs on.
  const database = join(data, 'cofferdam.db')
  await plane.reopen('all', () => madeOlder(database, format))

  const task = await plane.settled(id)
  expect([task.halt, task.status, task.spent.steps]).toEqual([null, 'APPLIED', 2])
  expect(git(repo, 'show', `${task.branch}:one.txt`, `${task.branch}:two.txt`)).toBe('one\ntwo\n')
  expect((await plane.client.verify(id, [])).findings).toEqual([])
  expect(formatOf(database)).toBe(migrations.length)

  // What was put aside is the folder as it was, and takes no room for commits.
  const upgrades = join(data, 'upgrades')
  const name = one(readdirSync(upgrades))
  expect(name).toMatch(new RegExp(`^\\d{8}T\\d{9}Z-format-${format}$`))
  const aside = join(upgrades, name)
  expect(formatOf(join(aside, 'cofferdam.db'))).toBe(format)
  const linked = objectsIn(join(aside, 'mirrors'))
  expect([linked.length > 0, linked.filter(([, names]) => names < 2)]).toEqual([true, []])
  expect(readFileSync(join(data, 'logs', 'cofferdam.log'), 'utf8')).toContain(`"path":"${aside}"`)

  // An older version restores it the same way: the task is where it was, and so is its branch.
  const back = { ...plane.config, dataFolder: join(data, '..', 'back') as HostPath }
  await restoreData(back, thisProcess(), aside)
  const db = new Database(join(back.dataFolder, 'cofferdam.db'), { readonly: true })
  const row = db.prepare('SELECT step, head, branch FROM runtime_tasks').get()
  db.close()
  expect(row).toEqual({ step: 2, head: before.head, branch: before.branch })
  const mirror = one(readdirSync(join(back.dataFolder, 'mirrors')).filter((each) => each.endsWith('.git')))
  expect(git(join(back.dataFolder, 'mirrors', mirror), 'rev-parse', before.branch).trim()).toBe(before.head)
}
const title =
  'a task under way in a data folder of format %i goes on after the upgrade, and the version before is given its folder back'
// Format 2 is the oldest that has today's documents; test/control-plane/store has format 1.
it.each([2])(title, upgraded)
// The last part of the same way.
it.each([4])(title, { tags: ['long'] }, upgraded)
