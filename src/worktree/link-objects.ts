import { linkSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { exists } from './files.ts'
import { at } from './layout.ts'

// The objects of a small repository are linked without a process, of which a clone starts five.

/** From so many files on, a clone links them, which does not stop everything else meanwhile. */
const mostFiles = 2000

const looseFolder = /^[0-9a-f]{2}$/
const looseName = /^(?:[0-9a-f]{38}|[0-9a-f]{62})$/
const packName = /^pack-[0-9a-f]{40,64}\.(?:pack|idx|rev|bitmap|mtimes)$/

/**
 * Links all objects of one repository into a new folder; false where a clone has to do it, and then what is there is to be
 * thrown away: objects that are borrowed from elsewhere, too many of them, or files that may not be linked.
 */
export function linkObjects(from: HostPath, to: HostPath): boolean {
  // Both are git's ways to name another repository's objects.
  if (['alternates', 'http-alternates'].some((name) => exists(`${from}/info/${name}`))) return false
  let left = mostFiles
  const linkFolder = (name: string, wanted: RegExp): boolean => {
    const [source, target] = [at(from, name), at(to, name)]
    if (!lstatSync(source).isDirectory()) return false
    mkdirSync(target)
    for (const file of readdirSync(source)) {
      if (!wanted.test(file)) continue
      left -= 1
      if (left < 0) return false
      linkSync(at(source, file), at(target, file))
      // Looked at where nobody else can swap it any more: a symlink would lead git out of the mirror.
      if (!lstatSync(at(target, file)).isFile()) return false
    }
    return true
  }
  try {
    mkdirSync(to, { recursive: true })
    // Packs come last: what is packed meanwhile is in a pack before it is no longer loose.
    const loose = readdirSync(from).filter((name) => looseFolder.test(name))
    if (!loose.every((name) => linkFolder(name, looseName))) return false
    return linkFolder('pack', packName)
  } catch {
    // Something went away meanwhile, lies on another disk, or is not ours to link.
    return false
  }
}
