import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack, type Headers } from 'tar-fs'
import type { HostPath } from '../domain/brand.ts'
import { Failure, messageOf } from '../domain/failure.ts'
import type { Identity } from './git.ts'

// For engines that share no disk with us; Docker's does, so that none of this is on its way.

/** A folder's content as a tar stream; `leaveOut` names entries of its root that stay behind. */
export function packFolder(folder: HostPath, leaveOut: readonly string[]): NodeJS.ReadableStream {
  const spared = new Set(leaveOut.map((name) => `${folder}/${name}`))
  // Fifos and devices do not travel.
  return Readable.from(pack(folder, { strict: false, ignore: (name) => spared.has(name) }))
}

/** One file as a tar stream. */
export function packFile(folder: HostPath, name: string): NodeJS.ReadableStream {
  return Readable.from(pack(folder, { entries: [name] }))
}

/**
 * Unpacks into an empty folder, everything owned by `user`. An entry that leads out of it, by its name, through a link or
 * as a device, ends it with a `Failure`.
 */
export async function unpackInto(
  folder: HostPath,
  tar: NodeJS.ReadableStream,
  user: Identity,
): Promise<void> {
  const links = new Set<string>()
  let refused: string | null = null
  const options = {
    // Links may point anywhere, as they may in a repository; nothing is ever written through one.
    validateSymlinks: false,
    umask: 0,
    strict: true,
    // After a refusal the rest is read and dropped: ending the stream in the middle of an entry cannot be caught.
    ignore: () => refused !== null,
    map: (header: Headers & { linkname?: string | null }) => {
      refused ??= problemOf(header, links)
      if (header.type === 'symlink') links.add(tidy(header.name))
      return { ...header, uid: user.uid, gid: user.gid }
    },
  }
  let cause: unknown
  try {
    await pipeline(tar, extract(folder, options))
  } catch (error) {
    cause = error
    refused ??= messageOf(error)
  }
  if (refused !== null)
    throw new Failure('worktree', `What the engine handed back is refused: ${refused}.`, { cause })
}

function problemOf(
  header: Headers & { linkname?: string | null },
  links: ReadonlySet<string>,
): string | null {
  const { name } = header
  const type: string = header.type
  if (!['file', 'directory', 'link', 'symlink'].includes(type)) return `${name} is a ${type}`
  if (leadsOut(name)) return `${name} leads out of the folder`
  const below = type === 'symlink' ? dropLast(tidy(name)) : tidy(name)
  if (through(below, links)) return `${name} lies behind a link`
  if (type !== 'link') return null
  const target = header.linkname ?? ''
  if (leadsOut(target) || through(tidy(target), links)) return `${name} links to ${target} outside`
  return null
}

function leadsOut(name: string): boolean {
  return name.startsWith('/') || name.includes('\0') || name.split('/').includes('..')
}

function tidy(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

function dropLast(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** Whether a path or one of the folders above it is a link. */
function through(path: string, links: ReadonlySet<string>): boolean {
  for (let at = path; at !== ''; at = dropLast(at)) if (links.has(at)) return true
  return false
}
