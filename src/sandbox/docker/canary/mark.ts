import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPath } from '../../../domain/brand.ts'
import { systemCodeOf } from '../../../domain/failure.ts'

/** A folder with a random token, made for a moment in a folder that is looked at; gone when it is disposed. */
export interface Mark extends AsyncDisposable {
  readonly in: HostPath
  readonly folder: string
  readonly token: string
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const tokenName = 'token'

/**
 * A folder of its own, so that a box sees nothing else of what lies there. The place may be somebody else's, who puts links
 * in our way while we are root: each name is looked up from a folder that is held open, and none is followed.
 */
export async function markIn(place: HostPath, installation: string): Promise<Mark> {
  const name = `${prefixOf(installation)}${randomBytes(8).toString('hex')}`
  const token = randomBytes(16).toString('hex')
  const held = await open(place, O_RDONLY | O_DIRECTORY)
  try {
    await mkdir(within(held, name))
    try {
      await fill(held, name, token)
    } catch (error) {
      await clear(held, name)
      throw error
    }
  } catch (error) {
    await held.close()
    throw error
  }
  return {
    in: place,
    folder: join(place, name),
    token,
    async [Symbol.asyncDispose]() {
      await clear(held, name)
      await held.close()
    },
  }
}

/** Removes the marks of an installation that a kill has left in a place. Nobody else of it may be looking at that just now. */
export async function sweepMarks(place: HostPath, installation: string): Promise<void> {
  const held = await open(place, O_RDONLY | O_DIRECTORY).catch(() => null)
  if (held === null) return
  try {
    const prefix = prefixOf(installation)
    for (const name of await readdir(within(held))) {
      if (name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length))) await clear(held, name)
    }
  } finally {
    await held.close()
  }
}

const prefixOf = (installation: string): string => `.cofferdam-canary-${installation}-`

/** The path of a name in a folder that is held open, whatever has become of that one's own path. */
const within = (held: FileHandle, name = '.'): string => `/proc/self/fd/${held.fd}/${name}`

async function fill(held: FileHandle, name: string, token: string): Promise<void> {
  const folder = await ownFolder(held, name)
  try {
    if ((await readdir(within(folder))).length > 0)
      throw new Error('somebody else has put another folder there')
    // Whatever the umask is here, the box is nobody.
    await folder.chmod(0o755)
    const file = await open(within(folder, tokenName), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    try {
      await file.writeFile(`${token}\n`)
      await file.chmod(0o644)
    } finally {
      await file.close()
    }
  } finally {
    await folder.close()
  }
}

/** Throws where it is a link, or a folder that this user has not made. */
async function ownFolder(held: FileHandle, name: string): Promise<FileHandle> {
  const folder = await open(within(held, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  if ((await folder.stat()).uid === process.geteuid?.()) return folder
  await folder.close()
  throw new Error('somebody else has put another folder there')
}

/** Removes what was made here and nothing else; what somebody has put in its place is theirs. */
async function clear(held: FileHandle, name: string): Promise<void> {
  const folder = await ownFolder(held, name).catch(() => null)
  if (folder === null) return
  try {
    await unlink(within(folder, tokenName)).catch(unlessGone)
  } finally {
    await folder.close()
  }
  await rmdir(within(held, name)).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY'].includes(systemCodeOf(error))) throw error
}
