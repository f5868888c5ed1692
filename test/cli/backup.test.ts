import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

it('backs up while a server holds the data folder, and restores where there is none', async () => {
  await machine.run(['run', '--repo', '.', '--goal', 'make it so', '--', 'true'])
  const server = machine.start(['serve'])
  await server.printed('Working on the tasks')
  const made = await machine.run(['backup', 'copy', '--json'])
  server.signal('SIGTERM')
  await server.code
  expect([made.code, made.error]).toEqual([0, ''])
  expect(JSON.parse(made.out)).toMatchObject({ path: join(machine.folder, 'copy'), tasks: 1, notes: [] })

  const over = await machine.run(['restore', 'copy'])
  expect([over.code, over.error]).toEqual([
    7,
    `cofferdam: ${machine.data} is not empty, and nothing in it is overwritten: name another folder, or move it away.\n`,
  ])
  const other = join(machine.folder, 'other')
  const { code, out } = await machine.run(['restore', 'copy', '--data', other])
  expect([code, out]).toEqual([
    0,
    expect.stringContaining(`Restored the record, and the work of 1 task, to ${other}, as of 2`),
  ])
  expect(out).toContain('never run both on one engine')
  const listed = await machine.run(['task', 'list', '--json'])
  expect((await machine.run(['task', 'list', '--json', '--data', other])).out).toBe(listed.out)
})

it('says that there is nothing to back up, and makes nothing', async () => {
  const { code, error } = await machine.run(['backup', 'copy'])
  expect([code, error]).toEqual([
    7,
    `cofferdam: There is no data folder at ${machine.data}: name the one to back up with --data.\n`,
  ])
  expect(existsSync(join(machine.folder, 'copy'))).toBe(false)
})
