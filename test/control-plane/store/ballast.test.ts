import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ballast, withBallast } from '../../../control-plane/store/ballast.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { birth } from '../../support/change.ts'
import { aTask, aTaskIdOf } from '../../support/task.ts'

let folder: HostPath
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-ballast-')) as HostPath
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (): string => join(folder, 'ballast')
const full = (): never => {
  throw new Failure('disk', 'The disk is full.')
}

describe('the ballast', () => {
  it('takes real room, for nobody else to read', () => {
    void new Ballast(folder)
    const { size, blocks, mode } = statSync(file())
    expect([size, blocks * 512 >= size, mode & 0o077]).toEqual([8 * 1024 * 1024, true, 0])
  })

  it('is thrown off when the disk is full, and what failed is tried again', () => {
    const ballast = new Ballast(folder)
    let tries = 0
    const done = ballast.over(() => {
      tries += 1
      return existsSync(file()) ? full() : 'written'
    })
    expect([done, tries]).toEqual(['written', 2])
  })

  it('is no help twice: then it is for a person to make room', () => {
    const ballast = new Ballast(folder)
    let tries = 0
    const fails = (): never => {
      tries += 1
      return full()
    }
    expect(() => ballast.over(fails)).toThrow('The disk is full.')
    expect(() => ballast.over(fails)).toThrow('The disk is full.')
    expect(tries).toBe(3)
  })

  it('stays where something else fails', () => {
    const ballast = new Ballast(folder)
    expect(() =>
      ballast.over(() => {
        throw new Failure('busy', 'Somebody else writes.')
      }),
    ).toThrow('Somebody else writes.')
    expect(existsSync(file())).toBe(true)
  })

  it('is laid again by the next process', () => {
    const ballast = new Ballast(folder)
    ballast.over(() => (existsSync(file()) ? full() : null))
    expect(existsSync(file())).toBe(false)
    void new Ballast(folder)
    expect(existsSync(file())).toBe(true)
  })
})

it('writes together on a full disk are all done again, once there is room', () => {
  const store = openStore(join(folder, 'cofferdam.db') as HostPath)
  const guarded = withBallast(store, new Ballast(folder))
  const tries: string[] = []
  const born = (number: number) => () => {
    tries.push(`task ${number}`)
    const { kind } = guarded.write(birth(aTask({ id: aTaskIdOf(number) })))
    return number === 2 && existsSync(file()) ? full() : kind
  }
  const outcomes = guarded.together([born(1), born(2)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(tries).toEqual(['task 1', 'task 2', 'task 1', 'task 2'])
  expect(store.tasks({}).map(({ version }) => version)).toEqual([1, 1])
  store[Symbol.dispose]()
})
