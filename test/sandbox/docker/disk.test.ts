import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writableFolders, writtenSince } from '../../../src/sandbox/docker/disk.ts'

const mib = 1024 * 1024
const never = new AbortController().signal
const most = { bytes: 64 * mib, files: 10_000 }

describe('what a box wrote', () => {
  let folder: string
  let since: number
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-written-'))
    mkdirSync(join(folder, 'old'))
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'old', name), Buffer.alloc(mib))
    await sleep(30)
    since = Date.now()
    // The times of files are those of the kernel's last tick, up to 10 ms ago.
    await sleep(30)
  })
  // Deeper than a path may be long, so that rm of Node does not do.
  afterEach(() => execFileSync('rm', ['-rf', folder]), 60_000)
  const written = (limit = most) => writtenSince([folder], since, limit, never)

  it('is nothing where it only read', async () => {
    expect(await written()).toEqual({ bytes: 0, files: 0 })
  })

  it('is what was made or changed since, links counted once, symlinks not followed', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'cofferdam-outside-'))
    writeFileSync(join(outside, 'big'), Buffer.alloc(mib))
    writeFileSync(join(folder, 'new'), Buffer.alloc(mib))
    linkSync(join(folder, 'new'), join(folder, 'again'))
    writeFileSync(join(folder, 'old/a'), Buffer.alloc(2 * mib))
    symlinkSync(outside, join(folder, 'out'))
    const { bytes, files } = await written()
    rmSync(outside, { recursive: true })
    // The new file under two names, the changed one, the symlink and the folder itself.
    expect(files).toBe(5)
    expect(bytes / mib).toBeGreaterThan(2.99)
    expect(bytes / mib).toBeLessThan(3.1)
  })

  it('is found out only as far as it is too much', async () => {
    mkdirSync(join(folder, 'many'))
    for (let i = 0; i < 500; i += 1) writeFileSync(join(folder, 'many', String(i)), '')
    expect((await written({ ...most, files: 100 })).files).toBe(101)
  })

  it('A032 is found in trees that are deeper than a path is long', async () => {
    execFileSync('python3', [
      '-c',
      'import os,sys\nos.chdir(sys.argv[1])\nfor _ in range(3000): os.mkdir("d"); os.chdir("d")\nopen("f","w").write("x"*100000)',
      folder,
    ])
    const { bytes, files } = await written({ bytes: 1024 * mib, files: 100_000 })
    expect(files).toBe(3002)
    expect(bytes).toBeGreaterThan(100_000)
  })

  it('is nothing where it cannot be looked at', async () => {
    expect(await writtenSince([join(folder, 'gone')], since, most, never)).toEqual({ bytes: 0, files: 0 })
  })

  it('is at most what is there where the time to look is over', async () => {
    expect((await writtenSince([folder], 0, most, AbortSignal.abort())).files).toBeLessThanOrEqual(5)
  })
})

it('the folders that stay and can be written are those of the outermost writable mounts', () => {
  const bind = (Source: string, readonly = false) => ({ Type: 'bind', Source, ReadOnly: readonly })
  const mounts = [
    bind('/w'),
    bind('/w/src'),
    bind('/w/.env', true),
    bind('/g'),
    { Type: 'volume', Source: '/v' },
  ]
  expect(writableFolders(mounts)).toEqual(['/w', '/g'])
  expect(writableFolders([bind('/w', true), bind('/w/src'), bind('/w/src/lib')])).toEqual(['/w/src'])
})
