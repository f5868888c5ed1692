import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { hostPath } from '../../src/config/places.ts'
import { authoritiesFile } from '../../src/worktree/authorities.ts'
import { smallDisk } from '../attack/disks.ts'
import { anAuthority } from '../support/authority.ts'
import { needRoot } from '../support/needs.ts'

describe('the list of authorities', () => {
  it('is written once, and then a full disk is in its way no more', () => {
    using disk = diskOf(2)
    using authority = anAuthority()
    const extra = hostPath(authority.file)
    const file = authoritiesFile(disk.folder, extra)
    expect(readFileSync(file, 'utf8')).toContain(readFileSync(extra, 'utf8').trim())
    const { ino } = statSync(file)
    fill(disk.folder)
    expect(statSync(authoritiesFile(disk.folder, extra)).ino).toBe(ino)
  })

  it('says that there is no room for it, and leaves no half of it', () => {
    using disk = diskOf(1)
    using authority = anAuthority()
    fill(disk.folder)
    const write = (): unknown => authoritiesFile(disk.folder, hostPath(authority.file))
    expect(write).toThrow(Failure)
    expect(write).toThrow(
      'authorities.pem, with the authorities that git is to believe, cannot be written (ENOSPC)',
    )
    expect(readdirSync(disk.folder)).toEqual(['filler'])
  })
})

function diskOf(mb: number): Disposable & { readonly folder: HostPath } {
  needRoot('mounting a small disk')
  const disk = smallDisk(mb)
  if (disk === null) throw new Error('no disk could be mounted')
  return { folder: hostPath(disk.folder), [Symbol.dispose]: () => disk[Symbol.dispose]() }
}

function fill(folder: string): void {
  const filler = join(folder, 'filler')
  writeFileSync(filler, '')
  for (const size of [64 * 1024, 4096])
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // It is full.
    }
}
