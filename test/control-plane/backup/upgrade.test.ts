import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyBeforeUpgrade } from '../../../control-plane/backup/upgrade.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { missingFrom } from '../../../src/worktree/missing.ts'
import { smallDisk } from '../../attack/disks.ts'
import { madeOlder } from '../../support/older-format.ts'
import { needRoot } from '../../support/needs.ts'
import { at, scratch } from './lab.ts'

// A task under way is upgraded in test/e2e/upgrade.test.ts.

let data: HostPath
beforeEach(() => {
  data = scratch()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

let now = Date.UTC(2026, 10, 27, 12)
const owner = { pid: process.pid, startedAt: 1, what: 'test' }
const copied = (folder = data) =>
  copyBeforeUpgrade({
    data: folder,
    attestationKey: null,
    owner,
    clock: () => (now += 1000),
    missing: missingFrom,
  })

function older(folder = data): void {
  openStore(at(folder, 'cofferdam.db'))[Symbol.dispose]()
  madeOlder(at(folder, 'cofferdam.db'), migrations.length - 1)
}

describe('before an upgrade', () => {
  it.each([
    ['there is no database', () => undefined],
    ['it is of this version', () => openStore(at(data, 'cofferdam.db'))[Symbol.dispose]()],
  ])('nothing is put aside where %s', async (_, make) => {
    make()
    expect([await copied(), readdirSync(data).includes('upgrades')]).toEqual([null, false])
  })

  it('the last three copies are kept', async () => {
    older()
    const made: (string | undefined)[] = []
    for (let times = 0; times < 5; times += 1) made.push((await copied())?.path)
    const kept = readdirSync(at(data, 'upgrades')).toSorted()
    expect(kept.map((name) => at(data, `upgrades/${name}`))).toEqual(made.slice(-3))
    expect(kept[0]).toMatch(new RegExp(`^20261127T1200\\d\\d000Z-format-${migrations.length - 1}$`))
  })

  it('the newest copy of each format is kept too, and what a process left that was killed at it is not', async () => {
    older()
    const first = await copied()
    const other = at(data, 'upgrades/20200101T000000000Z-format-1')
    mkdirSync(other)
    const half = at(data, 'upgrades/.20200101T000000000Z-format-1.half')
    mkdirSync(half)
    const later = [await copied(), await copied(), await copied()]
    const kept = readdirSync(at(data, 'upgrades')).map((name) => at(data, `upgrades/${name}`))
    expect(kept.toSorted()).toEqual([other, ...later.map((copy) => copy?.path)])
    expect(kept).not.toContain(first?.path)
  })

  it('room for the copy alone is not enough: the upgrade would fill the disk', async () => {
    needRoot('A disk of its own')
    using disk = smallDisk(40)
    if (disk === null) throw new Error('no disk can be mounted here')
    const folder = at(disk.folder, 'data')
    mkdirSync(folder)
    older(folder)
    mkdirSync(at(folder, 'logs'))
    writeFileSync(at(folder, 'logs/cofferdam.log'), Buffer.alloc(4_000_000))
    const database = statSync(at(folder, 'cofferdam.db')).size
    const filler = at(disk.folder, 'filler')
    const leaveFree = (bytes: number): void => {
      rmSync(filler, { force: true })
      const free = statfsSync(disk.folder)
      writeFileSync(filler, Buffer.alloc(free.bavail * free.bsize - bytes))
    }
    const needs = 4_000_000 + 3 * database
    leaveFree(needs - 100_000)
    await expect(copied(folder)).rejects.toThrow(
      /^There is no room for .*: the upgrade takes \d+ MiB, and \d MiB are free\. Free some space, then start again\.$/,
    )
    expect(readdirSync(at(folder, 'upgrades'))).toEqual([])
    leaveFree(needs + 500_000)
    expect(await copied(folder)).not.toBeNull()
    openStore(at(folder, 'cofferdam.db'))[Symbol.dispose]()
  })

  it('a full disk is a reason not to begin, and the database stays as it is', async () => {
    needRoot('A disk of its own')
    using disk = smallDisk(2)
    if (disk === null) throw new Error('no disk can be mounted here')
    const folder = at(disk.folder, 'data')
    mkdirSync(folder)
    older(folder)
    const before = readFileSync(at(folder, 'cofferdam.db'))
    const free = statfsSync(disk.folder)
    writeFileSync(at(disk.folder, 'filler'), Buffer.alloc(Math.max(0, free.bavail * free.bsize - 100_000)))
    await expect(copied(folder)).rejects.toThrow(
      /^There is no room for .*upgrades.*, and nothing of it is left/,
    )
    expect(readFileSync(at(folder, 'cofferdam.db')).equals(before)).toBe(true)
  })
})
