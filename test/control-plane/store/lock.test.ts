import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lockFolder, readOwner } from '../../../control-plane/store/lock.ts'
import { program, type Program } from '../../support/program.ts'
import { startChild } from './child.ts'
import { type Home, makeHome } from './home.ts'

const owner = { pid: process.pid, startedAt: 1_000, what: 'serve' }

describe('the lock of a data folder', () => {
  let locker: Program
  let home: Home

  beforeAll(() => {
    locker = program(new URL('programs/locker.ts', import.meta.url))
  })
  afterAll(() => locker[Symbol.dispose]())
  beforeEach(() => {
    home = makeHome()
  })
  afterEach(() => home[Symbol.dispose]())

  const start = () => startChild(process.execPath, [locker.file, home.folder])

  it('is taken once, says who has it, and is free again afterwards', () => {
    const lock = lockFolder(home.folder, owner)
    expect(lock).not.toBeNull()
    expect(readOwner(home.folder)).toEqual(owner)
    expect(lockFolder(home.folder, { ...owner, what: 'run' })).toBeNull()
    expect(readOwner(home.folder)).toEqual(owner)
    expect(readdirSync(home.folder)).toEqual(['lock.db', 'owner.json'])
    lock?.[Symbol.dispose]()
    lock?.[Symbol.dispose]()
    expect(readOwner(home.folder)).toBeNull()
    expect(readdirSync(home.folder)).toEqual(['lock.db'])
    expect(readFileSync(join(home.folder, 'lock.db'))).toHaveLength(0)
    const again = lockFolder(home.folder, owner)
    expect(again).not.toBeNull()
    again?.[Symbol.dispose]()
  })

  it('that is gone from its place says so, and leaves alone what another process has put there', () => {
    const lock = lockFolder(home.folder, owner)
    expect(lock?.isGone()).toBe(false)
    rmSync(join(home.folder, 'lock.db'))
    expect(lock?.isGone()).toBe(true)
    lock?.[Symbol.dispose]()
    expect(readOwner(home.folder)).toEqual(owner)
  })

  it('that another has taken in its place is gone too', () => {
    const lock = lockFolder(home.folder, owner)
    rmSync(join(home.folder, 'lock.db'))
    const other = { ...owner, what: 'run' }
    const taken = lockFolder(home.folder, other)
    expect({ first: lock?.isGone(), second: taken?.isGone() }).toEqual({ first: true, second: false })
    lock?.[Symbol.dispose]()
    expect(readOwner(home.folder)).toEqual(other)
    taken?.[Symbol.dispose]()
    expect(readOwner(home.folder)).toBeNull()
  })

  it('that is gone from its place says so also where a copy of the folder is there now, and leaves that alone', () => {
    const lock = lockFolder(home.folder, owner)
    const moved = `${home.folder}.moved`
    renameSync(home.folder, moved)
    cpSync(moved, home.folder, { recursive: true })
    expect(lock?.isGone()).toBe(true)
    const other = lockFolder(home.folder, { ...owner, what: 'run' })
    lock?.[Symbol.dispose]()
    expect(readOwner(home.folder)).toEqual({ ...owner, what: 'run' })
    other?.[Symbol.dispose]()
    rmSync(moved, { recursive: true })
  })

  it('is refused while another process has it, and free the moment that one is killed', async () => {
    const child = start()
    await child.printed(/held/)
    expect(lockFolder(home.folder, owner)).toBeNull()
    expect(readOwner(home.folder)).toEqual({ pid: child.process.pid, startedAt: 1, what: 'test' })
    await child.kill()
    const lock = lockFolder(home.folder, owner)
    expect(lock).not.toBeNull()
    expect(readOwner(home.folder)).toEqual(owner)
    lock?.[Symbol.dispose]()
  })

  it('is held against other processes until it is given back', async () => {
    const lock = lockFolder(home.folder, owner)
    const early = start()
    await early.printed(/refused/)
    lock?.[Symbol.dispose]()
    const late = start()
    await late.printed(/held/)
    early.process.stdin.end()
    late.process.stdin.end()
    await Promise.all([early.ended(), late.ended()])
    expect(readOwner(home.folder)).toBeNull()
  })

  it('goes to one of several that ask at once', async () => {
    const children = [1, 2, 3].map(start)
    await Promise.all(children.map((child) => child.printed(/held|refused/)))
    expect(children.map((child) => child.output().trim()).sort()).toEqual(['held', 'refused', 'refused'])
    await Promise.all(children.map((child) => child.kill()))
  })

  it('does not believe an owner file that is damaged', () => {
    writeFileSync(join(home.folder, 'owner.json'), '{"pid": "x"')
    expect(readOwner(home.folder)).toBeNull()
  })

  it('says what to do where the folder is missing or the file is something else', () => {
    writeFileSync(join(home.folder, 'lock.db'), 'not a database, but long enough to look at'.repeat(10))
    expect(() => lockFolder(home.folder, owner)).toThrow(/cannot be locked.*--data/)
    rmSync(home.folder, { recursive: true })
    expect(() => lockFolder(home.folder, owner)).toThrow(/cannot be locked.*--data/)
  })
})
