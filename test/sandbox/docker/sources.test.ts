import { describe, expect, it } from 'vitest'
import {
  guardedPlaces,
  mountPoints,
  refuseGuarded,
  refuseMountsBelow,
  whyGuarded,
} from '../../../src/sandbox/docker/sources.ts'

const guarded = {
  closed: ['/proc', '/etc', '/run', '/home/ada/.ssh', '/run/docker.sock', '/var/lib/docker'],
  homes: ['/home/ada', '/home/ada/data/scratch'],
}

describe('A029 a source is refused', () => {
  it.each([
    ['/', /is in it/],
    ['/proc', /it is in \/proc/],
    ['/proc/1/root', /it is in \/proc/],
    ['/etc/ssl', /it is in \/etc/],
    ['/run', /it is in \/run/],
    ['/run/docker.sock', /it is in \/run/],
    ['/var/lib', /\/var\/lib\/docker is in it/],
    ['/var/lib/docker/volumes', /it is in \/var\/lib\/docker/],
    ['/home', /is in it/],
    ['/home/ada', /is in it/],
    ['/home/ada/.ssh/id_ed25519', /it is in \/home\/ada\/\.ssh/],
    ['/home/ada/data', /\/home\/ada\/data\/scratch is in it/],
    ['/home/ada/data/scratch', /is in it/],
  ])('%s', (path, why) => {
    expect(whyGuarded(path, guarded)).toMatch(why)
    expect(() => refuseGuarded(['/srv/fine', path], guarded)).toThrow(
      expect.objectContaining({ code: 'worktree', message: expect.stringContaining(path) as string }),
    )
  })

  it.each(['/home/ada/data/tasks/a', '/home/ada/data/scratch/boxes/b', '/etcetera', '/running', '/srv/.ssh'])(
    'unless it is such as %s',
    (path) => {
      expect(whyGuarded(path, guarded)).toBeNull()
    },
  )

  it('by where the machine really has these places', () => {
    const found = guardedPlaces(
      { socket: '/var/run/docker.sock', rootFolder: '/var/lib/docker' },
      '/srv/data/scratch',
    )
    for (const path of ['/', '/proc/self', '/run', '/etc', '/dev', '/sys', '/srv/data', '/srv'])
      expect(whyGuarded(path, found)).not.toBeNull()
    expect(whyGuarded('/srv/data/tasks/a', found)).toBeNull()
  })
})

const line = (point: string): string => `36 35 98:0 / ${point} rw,noatime shared:1 - ext4 /dev/root rw`

describe('A024 a mount in a source', () => {
  it('is refused, by name, and the source itself may be one', () => {
    const mounts = ['/', '/data/w', '/data/w/sub', '/data/with'].map(line).join('\n')
    expect(() => refuseMountsBelow(['/data/w'], mounts)).toThrow(
      expect.objectContaining({
        code: 'worktree',
        message: expect.stringContaining('/data/w/sub') as string,
      }),
    )
    expect(() => refuseMountsBelow(['/data/w/sub', '/data/wi', '/data/v'], mounts)).not.toThrow()
  })

  it('is found under any name', () => {
    expect(mountPoints(`${line(String.raw`/a\040b\134c\012d`)}\n`)).toEqual(['/a b\\c\nd'])
  })
})
