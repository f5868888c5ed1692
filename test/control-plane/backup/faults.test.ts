import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../../control-plane/store/open.ts'
import { lockFolder } from '../../../control-plane/store/lock.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { messageOf } from '../../../src/domain/failure.ts'
import { birth } from '../../support/change.ts'
import { program, type Program } from '../../support/program.ts'
import { needRoot } from '../../support/needs.ts'
import { aTask, aTaskId } from '../../support/task.ts'
import { smallDisk } from '../../attack/disks.ts'
import { startChild } from '../store/child.ts'
import { at, backedUp, restored, scratch } from './lab.ts'

let folder: HostPath
let data: HostPath
let place: HostPath
let backer: Program
let writer: Program
beforeAll(() => {
  backer = program(new URL('programs/backer.ts', import.meta.url))
  writer = program(new URL('../store/programs/writer.ts', import.meta.url))
})
afterAll(() => {
  backer[Symbol.dispose]()
  writer[Symbol.dispose]()
})
beforeEach(() => {
  folder = scratch()
  data = at(folder, 'data')
  place = at(folder, 'backup')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(at(data, 'installation'), 'abcdefghij23\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const said = (made: Promise<unknown>): Promise<string> => made.then(() => 'done', messageOf)

/** A database with one task, and a mirror of some size. */
function fill(files = 300): void {
  using store = openStore(at(data, 'cofferdam.db'))
  store.write(birth(aTask()))
  const objects = at(data, 'mirrors/abc.git/objects/ab')
  mkdirSync(objects, { recursive: true })
  for (let number = 0; number < files; number += 1) writeFileSync(at(objects, `${number}`), 'x'.repeat(1000))
}

/** What a backup holds, by restoring it. */
async function soundVersion(): Promise<number | undefined> {
  const again = at(folder, 'again')
  rmSync(again, { recursive: true, force: true })
  await restored(place, again)
  using store = openStore(at(again, 'cofferdam.db'))
  const version = store.task(aTaskId)?.version
  expect(store.events(aTaskId, 0, 1_000_000)).toHaveLength(version ?? -1)
  return version
}

describe('a backup', () => {
  it('of a database that another process writes without a pause is one moment of it', async () => {
    const child = startChild(process.execPath, [writer.file, at(data, 'cofferdam.db')])
    await child.printed(/\b50\n/)
    await backedUp(data, place)
    await child.kill()
    expect(await soundVersion()).toBeGreaterThanOrEqual(50)
  })

  it('that is killed leaves nothing in its place, and the next one takes away what it left', async () => {
    fill()
    let killed = 0
    for (let ms = 0; ms < 60; ms += 6) {
      const child = startChild(process.execPath, [backer.file, data, place])
      await child.printed(/begins/)
      await sleep(ms)
      await child.kill()
      if (existsSync(place)) {
        expect(await soundVersion()).toBe(1)
        rmSync(place, { recursive: true })
      } else killed += 1
    }
    expect(killed).toBeGreaterThan(0)
    await backedUp(data, place)
    expect(await soundVersion()).toBe(1)
    expect(readdirSync(folder).toSorted()).toEqual(['again', 'backup', 'data'])
  })

  it('is not made over anything, nor by two at once', async () => {
    fill(1)
    mkdirSync(place)
    writeFileSync(at(place, 'mine'), '')
    expect(await said(backedUp(data, place))).toBe(
      `${place} is not empty, and nothing in it is overwritten: name another folder, or move it away.`,
    )
    rmSync(at(place, 'mine'))
    const half = at(folder, '.backup.half')
    mkdirSync(half)
    writeFileSync(at(half, 'mine'), '')
    expect(await said(backedUp(data, place))).toBe(`${half} is in the way: move it away, then try again.`)
    expect(existsSync(at(half, 'mine'))).toBe(true)
    rmSync(at(half, 'mine'))
    const lock = lockFolder(half, { pid: 1, startedAt: 1, what: 'backup' })
    expect(await said(backedUp(data, place))).toBe(
      `Another process is making ${place}: wait for it, or name another folder.`,
    )
    lock?.[Symbol.dispose]()
    expect(await said(backedUp(data, place))).toBe('done')
    expect(await said(backedUp(data, at(folder, 'backup/installation')))).toContain('cannot be used')
    expect(await said(backedUp(data, at(folder, 'missing/backup')))).toContain('cannot be made (ENOENT')
  })

  it('of a database that is damaged is not made', async () => {
    fill(1)
    writeFileSync(at(data, 'cofferdam.db'), 'no database at all, but long enough to be one', { flag: 'r+' })
    expect(await said(backedUp(data, place))).toContain(`is damaged`)
    expect(readdirSync(folder)).toEqual(['data'])
  })

  it('follows no symlink', async () => {
    fill(1)
    mkdirSync(at(data, 'logs'))
    symlinkSync('/etc/passwd', at(data, 'logs/passwd'))
    await backedUp(data, place)
    expect(readdirSync(at(place, 'logs'))).toEqual([])
  })
})

describe('a restore', () => {
  it('is not made over anything, and an empty folder is none', async () => {
    fill(1)
    await backedUp(data, place)
    expect(await said(restored(place, data))).toContain(`${data} is not empty`)
    mkdirSync(at(folder, 'other'))
    expect(await said(restored(place, at(folder, 'other')))).toBe('done')
  })

  it('goes where a link leads, which stays', async () => {
    fill(1)
    await backedUp(data, place)
    const [other, link] = [at(folder, 'other'), at(folder, 'link')]
    symlinkSync('other', link)
    expect(await said(restored(place, link))).toContain(
      `${link} is a link that leads to no folder (ENOENT: no such file`,
    )
    mkdirSync(other)
    expect(await said(restored(place, link))).toBe('done')
    expect(readlinkSync(link)).toBe('other')
    expect(readdirSync(other).toSorted()).toEqual(['cofferdam.db', 'installation', 'mirrors', 'restored'])
    expect(readdirSync(folder).toSorted()).toEqual(['backup', 'data', 'link', 'other'])
    expect(await said(restored(place, link))).toContain('is not empty')
  })

  it('goes onto a disk that is mounted at the data folder, as a volume of a container is', async () => {
    needRoot('A disk of its own')
    fill()
    await backedUp(data, place)
    using disk = smallDisk(32)
    if (disk === null) throw new Error('no disk can be mounted here')
    // Of a try that was killed.
    mkdirSync(at(disk.folder, '.half'))
    writeFileSync(at(disk.folder, '.half/lock.db'), '')
    expect(await said(restored(place, disk.folder as HostPath))).toBe('done')
    const names = ['cofferdam.db', 'installation', 'mirrors', 'restored']
    expect(readdirSync(disk.folder).toSorted()).toEqual(names)
    using store = openStore(at(disk.folder, 'cofferdam.db'))
    expect(store.task(aTaskId)?.version).toBe(1)
    expect(await said(restored(place, disk.folder as HostPath))).toContain('is not empty')
  })

  it('onto a mounted disk without room leaves nothing on it', async () => {
    needRoot('A disk of its own')
    fill(3000)
    await backedUp(data, place)
    using disk = smallDisk(2)
    if (disk === null) throw new Error('no disk can be mounted here')
    expect(await said(restored(place, disk.folder as HostPath))).toContain('There is no room for')
    expect(readdirSync(disk.folder)).toEqual([])
  })

  it.each([
    ['what is no backup', () => rmSync(at(place, 'backup.json')), 'is no backup of Cofferdam (ENOENT'],
    ['a newer backup', () => writeFileSync(at(place, 'backup.json'), '{"format":2}'), 'of a newer Cofferdam'],
    [
      'a backup without its database',
      () => rmSync(at(place, 'cofferdam.db')),
      'cofferdam.db is gone from it',
    ],
    [
      'a damaged database',
      () => writeFileSync(at(place, 'cofferdam.db'), 'x'.repeat(9000), { flag: 'r+' }),
      'is damaged',
    ],
    [
      'the database of another program',
      () => {
        rmSync(at(place, 'cofferdam.db'))
        cpSync(at(folder, 'other.db'), at(place, 'cofferdam.db'))
      },
      'is the database of another program',
    ],
  ])('of %s is refused, and nothing is made', async (_, harm, sentence) => {
    fill(1)
    spawnSync(process.execPath, [
      '-e',
      `const d = new (require(${JSON.stringify(new URL('../../../node_modules/better-sqlite3', import.meta.url).pathname)}))(${JSON.stringify(at(folder, 'other.db'))})
       d.exec('CREATE TABLE runtime_tasks (id, repository_key, branch, head, base_commit, delivery)')`,
    ])
    await backedUp(data, place)
    harm()
    expect(await said(restored(place, at(folder, 'again')))).toContain(sentence)
    expect(readdirSync(folder).toSorted()).toEqual(['backup', 'data', 'other.db'])
  })

  it('says where the key is missing', async () => {
    fill(1)
    await backedUp(data, place)
    mkdirSync(at(place, 'keys'))
    const pem =
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAsrUeh6ikVhwBsyGJx5imXLukyfMdkLPDkZgqu4BnKnY=\n-----END PUBLIC KEY-----\n'
    writeFileSync(at(place, 'keys/attestation.pub'), pem)
    const { notes } = await restored(place, at(folder, 'again'))
    expect(notes[0]).toContain(`is gone from ${at(folder, 'again')}/keys/attestation.pem: put it back`)
    expect(notes.at(-1)).toContain('never run both on one engine')
  })
})

const inside = (script: string, args: readonly string[] = []) =>
  spawnSync('sh', ['-c', 'exec unshare --mount sh -ec "$0" "$@"', script, 'sh', ...args])
const canMount = process.getuid?.() === 0 && inside('mount -t tmpfs tmpfs /mnt').status === 0

describe.runIf(canMount)('a disk for backups (only root can mount one)', () => {
  const onDisk = (options: string): string => {
    const script = `mount -t tmpfs -o ${options} tmpfs "$4"
      "$1" "$2" "$3" "$4/backup"; ls -A "$4"`
    return inside(script, [process.execPath, backer.file, data, at(folder, 'disk')]).stdout.toString()
  }
  beforeEach(() => {
    mkdirSync(at(folder, 'disk'))
    fill(2000)
  })

  it.each(['4k', '16k', '200k', '1m', '4m', '1m,nr_inodes=2', '1m,nr_inodes=3', '1m,nr_inodes=4'])(
    'that is full at %s: one sentence, and nothing is left on it',
    (size) => {
      const text = `There is no room for ${at(folder, 'disk/backup')}, and nothing of it is left: free some space, or name a folder on another disk.`
      const [begins, told, ...more] = onDisk(`size=${size}`).trim().split('\n')
      expect([begins, JSON.parse(told ?? ''), ...more]).toEqual(['begins', { code: 'disk', message: text }])
    },
  )

  it('that is readonly: one sentence', () => {
    const [, told, ...more] = onDisk('ro').trim().split('\n')
    expect(told).toContain('cannot be made (EROFS')
    expect(more).toEqual([])
  })
})
