import Database from 'better-sqlite3'
import { cpSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { copyBeforeUpgrade } from '../../../control-plane/backup/upgrade.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import { missingFrom } from '../../../src/worktree/missing.ts'
import { smallDisk } from '../../attack/disks.ts'
import { needRoot } from '../../support/needs.ts'
import { program, type Program } from '../../support/program.ts'
import { aPolicy } from '../../support/task.ts'
import { startChild } from '../store/child.ts'
import { formatOne } from '../store/format-1.ts'
import { at, scratch } from './lab.ts'

const others = 1500

let upgrader: Program
let older: HostPath
beforeAll(() => {
  upgrader = program(new URL('programs/upgrader.ts', import.meta.url))
  older = scratch()
  formatOne(at(older, 'cofferdam.db'), others)
  writeFileSync(at(older, 'installation'), 'abcdefghij23\n')
})
afterAll(() => {
  upgrader[Symbol.dispose]()
  rmSync(older, { recursive: true, force: true })
})

let folder: HostPath
beforeEach(() => {
  folder = scratch()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const owner = { pid: process.pid, startedAt: 1, what: 'test' }
const opened = (data: HostPath): void => openStore(at(data, 'cofferdam.db'))[Symbol.dispose]()
const started = async (data: HostPath): Promise<void> => {
  await copyBeforeUpgrade({ data, attestationKey: null, owner, clock: Date.now, missing: missingFrom })
  opened(data)
}

/** What there is of the database: of which format, how many tasks of that, and whether the file is whole. */
function looked(file: string) {
  const db = new Database(file)
  try {
    const old = db.prepare(`SELECT count(*) FROM runtime_tasks WHERE policy_hash = 'of format 1'`).pluck()
    const current = db.prepare('SELECT count(*) FROM runtime_tasks WHERE policy_hash = ?').pluck()
    return {
      format: Number(db.pragma('user_version', { simple: true })),
      old: Number(old.get()),
      current: Number(current.get(policyHash(aPolicy({ posture: 'degraded' })))),
      check: db.pragma('integrity_check', { simple: true }),
    }
  } finally {
    db.close()
  }
}
const all = others + 1
const before = { format: 1, old: all, current: 0, check: 'ok' }
const after = { format: migrations.length, old: 0, current: all, check: 'ok' }

/** Either as it was, or after a number of whole migrations. */
function expectWhole(file: string): number {
  const found = looked(file)
  expect(found).toEqual(found.format === 1 ? before : { ...after, format: found.format })
  return found.format
}

function expectUpgraded(data: HostPath): void {
  expect(looked(at(data, 'cofferdam.db'))).toEqual(after)
  const left = readdirSync(data).filter((name) => !/^cofferdam\.db\.v\d+$/.test(name))
  expect(left.toSorted()).toEqual(['cofferdam.db', 'installation', 'upgrades'])
  expect(looked(at(data, 'cofferdam.db.v1'))).toEqual(before)
  const aside = readdirSync(at(data, 'upgrades'))
  expect(aside.filter((name) => name.endsWith('-format-1'))).not.toEqual([])
  expect(aside.filter((name) => name.startsWith('.'))).toEqual([])
}

describe('an upgrade', () => {
  it('that is killed at any moment leaves the old database or whole migrations, and the next start ends it', async () => {
    const data = at(folder, 'data')
    const fresh = (): void => {
      rmSync(data, { recursive: true, force: true })
      cpSync(older, data, { recursive: true })
    }
    fresh()
    const whole = startChild(process.execPath, [upgrader.file, data])
    await whole.printed(/begins/)
    const began = performance.now()
    await whole.printed(/put aside/)
    const putAside = performance.now()
    await whole.printed(/done/)
    const lengths = { begins: putAside - began, 'put aside': performance.now() - putAside }
    await whole.ended()
    const seen = new Set<string>()
    for (const [phase, ms] of Object.entries(lengths))
      for (let moment = 0; moment < 5; moment += 1) {
        fresh()
        const child = startChild(process.execPath, [upgrader.file, data])
        await child.printed(new RegExp(phase))
        await sleep((ms * moment) / 5)
        await child.kill()
        seen.add(child.output().trim().split('\n').at(-1) ?? '')
        const copy = at(folder, 'seen')
        cpSync(data, copy, { recursive: true })
        expectWhole(at(copy, 'cofferdam.db'))
        rmSync(copy, { recursive: true })
        await started(data)
        expectUpgraded(data)
      }
    expect([...seen]).toEqual(expect.arrayContaining(['begins', 'put aside']))
  }, 180_000)

  it('whose disk fills meanwhile changes nothing by halves, leaves nothing big, and ends when there is room', async () => {
    needRoot('A disk of its own')
    const size = statSync(at(older, 'cofferdam.db')).size
    const stopped = new Set<number>()
    // Of the database's size: the copy takes once as much, and the log of the migration nearly twice.
    for (const share of [0, 0.5, 1.2, 2, 2.4]) {
      using disk = smallDisk(200)
      if (disk === null) throw new Error('no disk can be mounted here')
      const data = at(disk.folder, 'data')
      mkdirSync(data)
      cpSync(older, data, { recursive: true })
      await copyBeforeUpgrade({ data, attestationKey: null, owner, clock: Date.now, missing: missingFrom })
      const free = statfsSync(disk.folder)
      const left = Math.round(size * share)
      writeFileSync(at(disk.folder, 'filler'), Buffer.alloc(free.bavail * free.bsize - left))
      let told: unknown = null
      try {
        opened(data)
      } catch (error) {
        told = error
      }
      rmSync(at(disk.folder, 'filler'))
      if (told !== null) {
        expect(told).toBeInstanceOf(Failure)
        expect((told as Failure).code).toBe('disk')
        expect(readdirSync(data).filter((name) => name.endsWith('.new'))).toEqual([])
        cpSync(data, at(disk.folder, 'seen'), { recursive: true })
        stopped.add(expectWhole(at(disk.folder, 'seen/cofferdam.db')))
        rmSync(at(disk.folder, 'seen'), { recursive: true })
      }
      await started(data)
      expectUpgraded(data)
    }
    expect(stopped).toContain(1)
  }, 180_000)
})
