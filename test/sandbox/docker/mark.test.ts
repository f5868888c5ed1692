import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HostPath } from '../../../src/domain/brand.ts'
import { markIn, sweepMarks } from '../../../src/sandbox/docker/canary/mark.ts'
import { startChild } from '../../control-plane/store/child.ts'
import { program } from '../../support/program.ts'
import { needRoot } from '../../support/needs.ts'

// That a box reads it back is in folders.engine.test.ts.

let folder: string
let place: HostPath
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-mark-'))
  chmodSync(folder, 0o755)
  place = join(folder, 'place') as HostPath
  mkdirSync(place)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('a mark', () => {
  it('can be read by everybody whatever the umask is, and leaves nothing', async () => {
    const umask = process.umask(0o077)
    try {
      const mark = await markIn(place, 'abc')
      expect(basename(mark.folder)).toMatch(/^\.cofferdam-canary-abc-[0-9a-f]{16}$/)
      expect([modeOf(mark.folder), modeOf(join(mark.folder, 'token'))]).toEqual([0o755, 0o644])
      expect(readFileSync(join(mark.folder, 'token'), 'utf8')).toBe(`${mark.token}\n`)
      await mark[Symbol.asyncDispose]()
      expect(readdirSync(place)).toEqual([])
    } finally {
      process.umask(umask)
    }
  })

  it('is taken away and nothing else, where somebody has moved it and put a link in its place', async () => {
    const theirs = join(folder, 'theirs')
    mkdirSync(theirs)
    writeFileSync(join(theirs, 'token'), 'theirs')
    const mark = await markIn(place, 'abc')
    renameSync(mark.folder, join(place, 'moved'))
    symlinkSync(theirs, mark.folder)
    await mark[Symbol.asyncDispose]()
    expect(readFileSync(join(theirs, 'token'), 'utf8')).toBe('theirs')
    expect(readdirSync(place).toSorted()).toEqual([basename(mark.folder), 'moved'])
  })

  it('that a kill has left goes with the next start, and those of others stay', async () => {
    const mark = await markIn(place, 'abc')
    const other = await markIn(place, 'xyz')
    const [link, wide] = ['.cofferdam-canary-abc-0123456789abcdef', '.cofferdam-canary-abc-mine']
    const theirs = join(folder, 'theirs')
    mkdirSync(theirs)
    writeFileSync(join(theirs, 'token'), 'theirs')
    symlinkSync(theirs, join(place, link))
    mkdirSync(join(place, wide))
    await sweepMarks(place, 'abc')
    expect(readdirSync(place).toSorted()).toEqual([link, wide, basename(other.folder)].toSorted())
    expect(existsSync(join(theirs, 'token'))).toBe(true)
    await other[Symbol.asyncDispose]()
    await mark[Symbol.asyncDispose]()
    await sweepMarks(join(folder, 'gone') as HostPath, 'abc')
  })

  it('has root write nowhere else, however fast the owner of the place puts links in its way', async () => {
    needRoot('A folder of another user')
    chownSync(place, 1000, 1000)
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'root only', { mode: 0o600 })
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    using racer = program(new URL('programs/racer.ts', import.meta.url))
    const child = startChild(process.execPath, [racer.file, place, secret, closed])
    try {
      await child.printed(/begins/)
      for (let tries = 0; tries < 500; tries += 1)
        await markIn(place, 'abc').then(
          async (mark) => mark[Symbol.asyncDispose](),
          () => undefined,
        )
    } finally {
      await child.kill()
    }
    expect([readFileSync(secret, 'utf8'), modeOf(secret)]).toEqual(['root only', 0o600])
    expect([readdirSync(closed), modeOf(closed)]).toEqual([[], 0o700])
  })
})
