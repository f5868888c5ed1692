import { constants } from 'node:fs'
import { access, chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure, messageOf, systemCodeOf } from '../domain/failure.ts'
import { base32 } from '../domain/ids.ts'

/** An open data folder. */
export interface DataFolder {
  readonly path: HostPath
  /** Whether it was made just now: worth a word to the user. */
  readonly created: boolean
  /** Names this installation on an engine: 12 lowercase base32 characters, made once. */
  readonly installation: string
}

const installationFile = 'installation'
/** What the kernel takes for a name; and for a path, with room for those inside. Bytes. */
const longestName = 255
const longestPath = 3000
/** What may be there before the installation has its name: a start that was interrupted. */
const beginnings = /^(?:\.gitignore|\.installation-.*)$/

/** Makes the data folder where it is missing, and refuses one that is somebody else's or something else. */
export async function openDataFolder(
  path: HostPath,
  uid: number,
  random: (bytes: number) => Uint8Array,
): Promise<DataFolder> {
  try {
    checkLength(path)
    const created = await makeFolders(path)
    await checkOwner(path, uid)
    await checkContent(path)
    // Only now: the mode of a folder that is not ours is none of our business.
    await chmod(path, 0o700)
    await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 }).catch(unlessThere)
    const installation = await installationOf(path, random)
    return { path, created, installation }
  } catch (error) {
    throw unusable(path, error)
  }
}

/**
 * Looks whether the data folder could be opened, without making or changing anything. False where there is none yet.
 * Rejects as `openDataFolder` would.
 */
export async function findDataFolder(path: HostPath, uid: number): Promise<boolean> {
  try {
    checkLength(path)
    if (!(await exists(path))) {
      const above = await nearest(path)
      if (!(await stat(above)).isDirectory())
        throw refusal(`${above} is no folder: name another with --data.`)
      await access(above, constants.W_OK | constants.X_OK)
      return false
    }
    await checkOwner(path, uid)
    await checkContent(path)
    await readName(join(path, installationFile))
    return true
  } catch (error) {
    throw unusable(path, error)
  }
}

/** Before anything is made: folders above one whose name is too long would be left behind. */
function checkLength(path: HostPath): void {
  const longest = Math.max(...path.split('/').map((name) => Buffer.byteLength(name)))
  if (longest <= longestName && Buffer.byteLength(path) <= longestPath) return
  throw refusal(
    `The path of the data folder is too long (at most ${longestPath} bytes, and ${longestName} for each name in it): ` +
      `name another with --data. It is ${path.slice(0, 100)}…`,
  )
}

/** The folder nearest above `path` that is there. */
async function nearest(path: string): Promise<string> {
  const parent = dirname(path)
  return parent === path || (await exists(parent)) ? parent : nearest(parent)
}

/** One by one: Node's own recursion never ends where a folder cannot be made, as in /proc. False where it was there. */
async function makeFolders(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EEXIST') return false
    if (code !== 'ENOENT' || dirname(path) === path || (await exists(dirname(path)))) throw error
    await makeFolders(dirname(path))
    await mkdir(path, { mode: 0o700 })
    return true
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

async function checkOwner(path: HostPath, uid: number): Promise<void> {
  const found = await stat(path)
  if (!found.isDirectory()) throw refusal(`The data folder ${path} is no folder: name another with --data.`)
  if (found.uid !== uid)
    throw refusal(
      `The data folder ${path} belongs to user ${found.uid}, and this is user ${uid}: ` +
        'run the command as that user, or name another folder with --data.',
    )
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
    throw refusal(`The data folder ${path} cannot be written: make it writable, or name another with --data.`)
  })
}

async function checkContent(path: HostPath): Promise<void> {
  const names = await readdir(path)
  if (names.includes(installationFile) || names.every((name) => beginnings.test(name))) return
  throw refusal(
    `The folder ${path} holds other things and is no data folder of Cofferdam: name a new or empty one with --data.`,
  )
}

async function installationOf(path: HostPath, random: (bytes: number) => Uint8Array): Promise<string> {
  const place = join(path, installationFile)
  const known = await readName(place)
  if (known !== null) return known
  await nameInstallation(path, place, random)
  const name = await readName(place)
  if (name !== null) return name
  throw new Error(`the file ${place} is gone`)
}

/** The name of the installation; null where it has none yet. */
async function readName(place: string): Promise<string | null> {
  const text = await readFile(place, 'utf8').catch(unlessMissing)
  if (text === null) return null
  const name = text.trim()
  if (/^[a-z2-7]{12}$/.test(name)) return name
  throw refusal(
    `The file ${place} is damaged: put its 12 characters back from a backup, or name another folder with --data.`,
  )
}

/** Written aside and linked, so that the first of several processes wins and nobody reads half a name. */
async function nameInstallation(
  path: HostPath,
  place: string,
  random: (bytes: number) => Uint8Array,
): Promise<void> {
  const name = base32(random(12))
  const aside = join(path, `.installation-${base32(random(12))}`)
  await writeFile(aside, `${name}\n`, { flag: 'wx', mode: 0o600, flush: true })
  try {
    await link(aside, place).catch(unlessThere)
  } finally {
    await rm(aside, { force: true })
  }
}

function unlessMissing(error: unknown): null {
  if (systemCodeOf(error) === 'ENOENT') return null
  throw error
}

function unlessThere(error: unknown): void {
  if (systemCodeOf(error) !== 'EEXIST') throw error
}

function unusable(path: HostPath, error: unknown): Failure {
  if (error instanceof Failure) return error
  return refusal(`The data folder ${path} cannot be used (${messageOf(error)}): name another with --data.`)
}

function refusal(message: string): Failure {
  return new Failure('data_folder', message)
}
