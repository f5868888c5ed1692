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
    expect(look).toThrow(/the work of 2 tasks is still in .*: put back a copy of the whole data folder/)
  })

  it('is a new one where nothing but a look is left', () => {
    expect(look).not.toThrow()
    work(passingId(Buffer.alloc(10)), 'no-task')
    expect(look).not.toThrow()
  })
})

it('says nothing where the database is there', () => {
  work(aTaskIdOf(1))
  writeFileSync(join(data, 'cofferdam.db'), '')
  expect(look).not.toThrow()
})
