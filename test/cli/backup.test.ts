import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockFolder } from '../../control-plane/store/lock.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { applies, blocks } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  // It makes no commit: a scripted one is in no mirror.
  machine = scriptedMachine(blocks)
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

it('keeps the newest of those that it has named by their time, each night', async () => {
  await machine.run(['task', 'list'])
  const nights = join(machine.folder, 'nights')
  const kept = (): readonly string[] => readdirSync(nights).toSorted()
  const made: string[] = []
  const night = async (): Promise<string> => {
    const { code, out, error } = await machine.run(['backup', 'nights', '--keep', '2', '--json'])
    expect([code, error]).toEqual([0, ''])
    const { path } = JSON.parse(out) as { readonly path: string }
    made.push(basename(path))
    return out
  }
  await night()
  // Not of it: of another installation, what a person has put there, and what has only such a name.
  const strangers = ['.20200105T000000000Z.half', '20200101T000000000Z', '20200102T000000000Z', 'mine']
  cpSync(join(nights, made[0] ?? ''), join(nights, '20200101T000000000Z'), { recursive: true })
  writeFileSync(join(nights, '20200101T000000000Z', 'installation'), 'abcdefghij23\n')
  for (const name of strangers.slice(2)) mkdirSync(join(nights, name))
  writeFileSync(join(nights, '.20200105T000000000Z.half'), '')
  // One that was moved to another disk.
  const far = join(machine.folder, 'far')
  cpSync(join(nights, made[0] ?? ''), far, { recursive: true })
  symlinkSync(far, join(nights, '20200106T000000000Z'))
  strangers.push('20200106T000000000Z')
  // One that was killed, and one that is being made.
  for (const name of ['.20200103T000000000Z.half', '.20200104T000000000Z.half']) mkdirSync(join(nights, name))
  const owner = { pid: process.pid, startedAt: 1, what: 'backup' }
  using busy = lockFolder(join(nights, '.20200104T000000000Z.half') as HostPath, owner)
  expect(busy).not.toBeNull()
  await night()
  const other = ['.20200104T000000000Z.half', ...strangers]
  expect(kept()).toEqual([...other, ...made].toSorted())
  expect(await night()).toContain(`${join(nights, made[0] ?? '')} is removed, as 2 are kept.`)
  expect(kept()).toEqual([...other, ...made.slice(1)].toSorted())
  expect(existsSync(join(far, 'backup.json'))).toBe(true)

  // Where the new one does not come about, the old ones stay.
  writeFileSync(join(machine.data, 'cofferdam.db'), 'no database at all, but long enough to be one', {
    flag: 'r+',
  })
  expect((await machine.run(['backup', 'nights', '--keep', '1'])).code).toBe(7)
  expect(kept()).toEqual([...other, ...made.slice(1)].toSorted())

  const several = await machine.run(['restore', 'nights', '--data', 'other'])
  expect([several.code, several.error]).toEqual([
    7,
    expect.stringMatching(/name the folder of one, such as .*\/nights\/\d{8}T\d{9}Z\.$/m),
  ])
  const restored = await machine.run(['restore', join('nights', made[2] ?? ''), '--data', 'other'])
  expect([restored.code, restored.error]).toEqual([0, ''])
  const within = await machine.run([
    'backup',
    join('nights', made[2] ?? ''),
    '--keep',
    '2',
    '--data',
    'other',
  ])
  expect([within.code, within.error]).toEqual([7, expect.stringContaining('is a backup itself')])
  expect((await machine.run(['backup', 'nights', '--keep', '0'])).code).toBe(2)
})

it('tells of commits that are gone, as something is to be done, and leaves the older copies', async () => {
  const made = scriptedMachine(applies)
  try {
    await made.run(['task', 'list'])
    expect((await made.run(['backup', 'nights', '--keep', '1'])).code).toBe(0)
    await made.run(['run', '--repo', '.', '--goal', 'make it so', '--', 'true'])
    const { code, out, error } = await made.run(['backup', 'nights', '--keep', '1'])
    expect([code, out]).toEqual([
      7,
      expect.stringContaining('As it is incomplete, no older copy is removed.'),
    ])
    expect(error).toMatch(/^cofferdam: .* is made, but the commits of 1 task \(.*\) are not in it, as /)
    const [whole, lacking] = readdirSync(join(made.folder, 'nights')).toSorted()
    expect(lacking).toBeDefined()
    const restored = await made.run(['restore', `nights/${lacking}`, '--data', 'other'])
    expect([restored.code, restored.error]).toEqual([
      7,
      expect.stringMatching(
        /other is made, but the commits of 1 task \(.*\) are not in it, as they are gone from .*mirrors: a new task on the repository brings back/,
      ),
    ])
    const plain = await made.run(['backup', 'copy', '--json'])
    expect([plain.code, existsSync(join(made.folder, 'copy', 'backup.json'))]).toEqual([7, true])
    expect(plain.error).toContain((JSON.parse(plain.out) as { readonly incomplete: string }).incomplete)
    // Where a whole one is made again, what lacks commits is the first to go.
    const { tasks } = JSON.parse((await made.run(['task', 'list', '--json'])).out) as {
      tasks: [{ id: string }]
    }
    await made.run(['task', 'discard', tasks[0].id])
    const again = await made.run(['backup', 'nights', '--keep', '2'])
    expect([again.code, again.out]).toEqual([
      0,
      expect.stringContaining(`${lacking} is removed, as 2 are kept.`),
    ])
    expect(readdirSync(join(made.folder, 'nights'))).toEqual([whole, expect.any(String)])
  } finally {
    made.remove()
  }
})

it('is held against others until it is in its place, however long the disk takes', async () => {
  await machine.run(['task', 'list'])
  const programs = join(machine.folder, 'programs')
  mkdirSync(programs)
  const seen = join(machine.folder, 'seen')
  const sync = `#!/bin/sh\nfor folder; do ls -A "$folder" >>${seen}; done\nexec /bin/sync "$@"\n`
  writeFileSync(join(programs, 'sync'), sync, { mode: 0o755 })
  const path = process.env['PATH']
  process.env['PATH'] = `${programs}:${path}`
  try {
    expect((await machine.run(['backup', 'copy'])).code).toBe(0)
  } finally {
    process.env['PATH'] = path
  }
  expect(readFileSync(seen, 'utf8')).toMatch(/^lock\.db$/m)
  expect(readdirSync(join(machine.folder, 'copy'))).not.toContain('lock.db')
})

it.each([
  ['the data folder', 'data'],
  ['a folder in it', 'data/copies/today'],
  ['a link into it', 'link/copies'],
])('makes none in the data folder itself: %s', async (_, name) => {
  await machine.run(['task', 'list'])
  symlinkSync('data', join(machine.folder, 'link'))
  const before = readdirSync(machine.data)
  for (const keep of [[], ['--keep', '2']]) {
    const { code, error } = await machine.run(['backup', name, ...keep])
    expect([code, error]).toEqual([
      7,
      `cofferdam: ${join(machine.folder, name)} is in the data folder ${machine.data} itself, and would be lost with it: ` +
        'name a folder elsewhere, best on another disk.\n',
    ])
  }
  expect(readdirSync(machine.data)).toEqual(before)
  expect((await machine.run(['backup', 'data-copy'])).code).toBe(0)
})

it('says that there is nothing to back up, and makes nothing', async () => {
  const { code, error } = await machine.run(['backup', 'copy'])
  expect([code, error]).toEqual([
    7,
    `cofferdam: There is no data folder at ${machine.data}: name the one to back up with --data.\n`,
  ])
  expect(existsSync(join(machine.folder, 'copy'))).toBe(false)
})
