import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskId } from '../../src/domain/ids.ts'

// What a case reads on the host's side.

/** A folder of the host that anybody may write in, for attacks to prove by a file that they ran on the host. */
export interface Markers extends Disposable {
  readonly folder: string
  /** A shell command that leaves a mark, wherever it runs. */
  leave(name: string): string
  /** The marks that were left. */
  found(): readonly string[]
}

export function openMarkers(): Markers {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-markers-'))
  chmodSync(folder, 0o777)
  return {
    folder,
    leave: (name) => `touch ${folder}/${name}`,
    found: () => readdirSync(folder).sort(),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Every path under a folder with its type, mode, owner, inode, size, time of writing and content: what was touched shows. */
export function printOf(
  folder: string,
  spare: (path: string) => boolean = () => false,
): Record<string, string> {
  const all: Record<string, string> = {}
  for (const path of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort()) {
    if (spare(path)) continue
    const place = join(folder, path)
    const stat = lstatSync(place)
    const facts = [stat.mode.toString(8), stat.uid, stat.gid, stat.ino]
    if (stat.isFile()) facts.push(stat.size, sha(readFileSync(place)))
    // A mirror shares its objects with the repository by hard links, and git renews the time of one that it would write again.
    if (stat.isFile() && !path.includes('objects/')) facts.push(stat.mtimeMs)
    if (stat.isSymbolicLink()) facts.push(readlinkSync(place))
    all[path] = facts.join(' ')
  }
  return all
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/** Where in a folder a text stands, by path; also in packed git objects when asked of a repository through `git`. */
export function pathsHolding(folder: string, text: string): readonly string[] {
  try {
    const out = execFileSync('grep', ['-rlaF', '--devices=skip', '--', text, folder], { encoding: 'utf8' })
    return out.split('\n').filter(Boolean)
  } catch {
    // grep ends with 1 where it finds nothing.
    return []
  }
}

/** Paths under a folder that belong to other users than these. */
export function ownedByOthers(folder: string, uids: readonly number[]): readonly string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return found.filter((path) => !uids.includes(lstatSync(join(folder, path)).uid))
}

/** What the engine still has with an installation's label: boxes and volumes. */
export function leftOnEngine(installation: string): readonly string[] {
  const filter = ['--filter', `label=cofferdam.installation=${installation}`]
  const ask = (...args: readonly string[]): readonly string[] =>
    execFileSync('docker', [...args, ...filter], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean)
  return [
    ...ask('ps', '-a', '--format', 'box {{.Names}}'),
    ...ask('volume', 'ls', '--format', 'volume {{.Name}}'),
    ...ask('network', 'ls', '--format', 'network {{.Name}}'),
  ]
}

/** What of ours is left on engine and disk once tasks have ended; the work itself stays. */
export function leftOf(data: string, ...ids: readonly TaskId[]): readonly string[] {
  const names = (...args: readonly string[]): readonly string[] =>
    execFileSync('docker', [...args, '--filter', 'label=cofferdam.task'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => ids.some((id) => line.startsWith(`${id} `)))
  const scratch = readdirSync(data, { recursive: true, encoding: 'utf8' })
  return [
    ...names('ps', '-a', '--format', '{{.Label "cofferdam.task"}} {{.Names}}'),
    ...names('volume', 'ls', '--format', '{{.Label "cofferdam.task"}} {{.Name}}'),
    ...scratch.filter(
      (path) =>
        path.endsWith('.lock') || ids.some((id) => new RegExp(`(?:^|/)boxes/[^/]*${id}[^/]*$`).test(path)),
    ),
  ]
}
