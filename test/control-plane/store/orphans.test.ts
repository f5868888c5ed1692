import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refuseOrphans } from '../../../control-plane/store/orphans.ts'
import { hostPath } from '../../../src/config/places.ts'
import { passingId } from '../../../src/domain/ids.ts'
import { aTaskIdOf } from '../../support/task.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'cofferdam-orphans-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const look = (): void => refuseOrphans(hostPath(data), hostPath(join(data, 'cofferdam.db')))
const work = (...names: readonly string[]): void => {
  for (const name of names) mkdirSync(join(data, 'tasks', name), { recursive: true })
}

describe('a data folder without a database', () => {
  it('is refused where the work of tasks is there, with what to do', () => {
    work(aTaskIdOf(1), aTaskIdOf(2))
    expect(look).toThrow(
      /the work of 2 tasks is still in .*: move the folder away and put back a copy of the whole data folder with `cofferdam restore`, or/,
    )
  })

  it.each([
    'mirrors/abc.git',
    'upgrades/20261127T120000000Z-format-5',
    'search.db',
    'keys/attestation.pub',
    'cofferdam.db.v5',
  ])('is refused where %s, which comes after one, is there', (name) => {
    mkdirSync(join(data, name), { recursive: true })
    const [top = ''] = name.startsWith('keys') ? [name] : name.split('/')
    expect(look).toThrow(`what was made beside it (${top}) is still in ${data}: move the folder away and put`)
  })

  it('is told of the backups before upgrades that are in it', () => {
    mkdirSync(join(data, 'upgrades/20261127T120000000Z-format-5'), { recursive: true })
    expect(look).toThrow(`(older ones are in ${data}/upgrades)`)
  })

  it('is refused as well where it is empty, as a full disk or a slip of the hand leaves it', () => {
    work(aTaskIdOf(1))
    writeFileSync(join(data, 'cofferdam.db'), '')
    expect(look).toThrow('the work of 1 task is still in')
  })

  it('is taken for a new one with a key of the person and what comes before a database', () => {
    for (const name of ['keys', 'logs', 'tasks']) mkdirSync(join(data, name))
    for (const name of ['keys/attestation.pem', 'installation', '.gitignore', 'lock.db', 'cofferdam.db.new'])
      writeFileSync(join(data, name), '')
    expect(look).not.toThrow()
  })

  it('is a new one where nothing but a look is left', () => {
    expect(look).not.toThrow()
    work(passingId(Buffer.alloc(10)), 'no-task')
    expect(look).not.toThrow()
  })
})

it('says nothing where the database is there', () => {
  work(aTaskIdOf(1))
  writeFileSync(join(data, 'cofferdam.db'), 'SQLite')
  expect(look).not.toThrow()
})
