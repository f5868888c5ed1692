import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of a case's own, mounted on a folder. */
export interface OwnDisk extends Disposable {
  readonly folder: string
}

/** A small disk in memory, to be filled; null where this process may not mount one. */
export function smallDisk(mb: number): OwnDisk | null {
  return mounted((folder) => run('mount', '-t', 'tmpfs', '-o', `size=${mb}m,mode=755`, 'none', folder))
}

/** A disk on which `.ENV` is `.env`; null where this kernel has none. */
export function caseInsensitiveDisk(): OwnDisk | null {
  return mounted((folder) => {
    const image = `${folder}.img`
    run('truncate', '-s', '512M', image)
    run('mkfs.ext4', '-q', '-O', 'casefold', '-E', 'encoding=utf8', image)
    run('mount', '-o', 'loop', image, folder)
    const inside = join(folder, 'insensitive')
    mkdirSync(inside)
    run('chattr', '+F', inside)
    return inside
  })
}

function mounted(mount: (folder: string) => string): OwnDisk | null {
  const place = mkdtempSync(join(tmpdir(), 'cofferdam-disk-'))
  const clear = (): void => {
    rmSync(place, { recursive: true, force: true })
    rmSync(`${place}.img`, { force: true })
  }
  try {
    const inside = mount(place)
    return {
      folder: inside === '' ? place : inside,
      [Symbol.dispose]: () => {
        run('umount', '-l', place)
        clear()
      },
    }
  } catch {
    try {
      run('umount', '-l', place)
    } catch {
      // It was not mounted.
    }
    clear()
    return null
  }
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
