import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { realpathSync } from 'node:fs'
import { Failure } from '../../domain/failure.ts'

// The last line of defence: whoever computed a box, and whatever a symlink made of it, these never get into one.

/** Places of this machine that no box sees: neither they, nor what is in them, nor what they are in. */
const system = ['/proc', '/sys', '/dev', '/etc', '/boot', '/run', '/var/run', '/root/.ssh']
/** Folders of a home with keys in them. */
const keys = ['.ssh', '.gnupg', '.aws', '.kube', '.docker']

/** What the machine and the installation have that no box may see. */
export interface Guarded {
  /** Neither these, nor what is in them, nor what they are in. */
  readonly closed: readonly string[]
  /** Neither these nor what they are in; what is in them may be a source. */
  readonly homes: readonly string[]
}

/** `scratch` is in the data folder, so that nothing above it can be a source. */
export function guardedPlaces(engine: { socket: string; rootFolder: string }, scratch: string): Guarded {
  const home = homedir()
  return {
    closed: [...system, ...keys.map((name) => `${home}/${name}`), engine.socket, engine.rootFolder].map(
      resolved,
    ),
    homes: [home, scratch].map(resolved),
  }
}

/** Why a source's folder may not be in a box, in half a sentence; null where it may. Pure. `path` has no symlinks. */
export function whyGuarded(path: string, { closed, homes }: Guarded): string | null {
  const inside = closed.find((place) => isWithin(path, place))
  if (inside !== undefined) return `it is in ${inside}`
  const above = [...closed, ...homes].find((place) => isWithin(place, path))
  return above === undefined ? null : `${above} is in it`
}

/** Refuses folders that no box may see, by name. */
export function refuseGuarded(paths: readonly string[], guarded: Guarded): void {
  for (const path of paths) {
    const why = whyGuarded(path, guarded)
    if (why !== null)
      throw new Failure(
        'worktree',
        `A box was to see ${path}, and ${why}: that is never shown to a box. Move the data folder to a place of its own.`,
      )
  }
}

/**
 * Refuses folders with something mounted in them: a readonly mount of the folder would not make that readonly too, and
 * what lies under it would come to light.
 */
export function refuseMountsBelow(paths: readonly string[], mountinfo = readMounts()): void {
  const points = mountPoints(mountinfo)
  for (const path of paths) {
    const below = points.find((point) => point !== path && isWithin(point, path))
    if (below !== undefined)
      throw new Failure(
        'worktree',
        `Something is mounted at ${below}, in a folder that a box was to see: unmount it, then try again.`,
      )
  }
}

/** The places of all mounts in a text like `/proc/self/mountinfo`. Pure. */
export function mountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point !== '')
    .map((point) =>
      point.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))),
    )
}

function readMounts(): string {
  // Bytes, as a path may be no text: names compare alike then.
  return readFileSync('/proc/self/mountinfo', 'utf8')
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
