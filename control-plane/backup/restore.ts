import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackupReport } from '../../src/domain/backup.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import { findKey, type KeyPlaces } from '../attest/key.ts'
import { checkFile } from '../store/examine.ts'
import type { Owner } from '../store/lock.ts'
import { headsIn } from '../store/copy.ts'
import { openStore } from '../store/open.ts'
import { copied, databaseName, installationName, mirrors, readManifest, restoredName } from './contents.ts'
import { copyAny } from './copy-tree.ts'
import { lostIn, type Missing } from './lost.ts'
import { makeWhole } from './whole.ts'

export interface RestoreDeps {
  /** Where the data folder is to be: nothing, or an empty folder. */
  readonly data: HostPath
  /** Where the keys of a data folder are. */
  readonly keysOf: (data: HostPath) => KeyPlaces
  readonly owner: Owner
  readonly missing: Missing
}

/**
 * Makes a data folder out of a backup, which stays as it is. Checks the whole database first. Where commits of tasks are not in
 * the backup it is made all the same, and says so.
 */
export async function restore(from: HostPath, deps: RestoreDeps): Promise<BackupReport> {
  const { data, keysOf, owner, missing } = deps
  const { at, tasks } = readManifest(from)
  await mkdir(dirname(data), { recursive: true, mode: 0o700 })
  const make = async (
    folder: HostPath,
  ): Promise<Pick<BackupReport, 'incomplete'> & { readonly attestedWith: readonly string[] }> => {
    for (const name of [databaseName, ...copied, mirrors]) await copyAny(join(from, name), join(folder, name))
    await writeFile(join(folder, restoredName), `${at}\n`, { mode: 0o600 })
    const attestedWith = examine(folder, from, data)
    const heads = headsIn(join(folder, databaseName))
    const incomplete = await lostIn({ copy: folder, place: data, from, again: 'restore' }, heads, missing)
    return { attestedWith, ...(incomplete === null ? {} : { incomplete }) }
  }
  const { attestedWith, ...rest } = await makeWhole(data, owner, { make, seal: installationName })
  return { path: data, at, tasks, ...rest, notes: [...keyNotes(keysOf(data), attestedWith), twice] }
}

const twice =
  'It is the same installation as the one that was backed up: never run both on one engine, for each would remove the boxes of the other.'

/** Opens the database as a start would: one that is of another program or a newer version is refused before it is in place. */
function examine(folder: HostPath, from: HostPath, data: HostPath): readonly string[] {
  checkFile(join(folder, databaseName), join(from, databaseName))
  try {
    using store = openStore(join(folder, databaseName) as HostPath)
    return store.attestationKeys()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, error.message.replaceAll(folder, data), { cause: error })
  }
}

/** The key may be kept elsewhere, and not be there yet. */
function keyNotes(keys: KeyPlaces, attestedWith: readonly string[]): readonly string[] {
  try {
    findKey(keys, () => attestedWith)
    return []
  } catch (error) {
    if (error instanceof Failure) return [messageOf(error)]
    throw error
  }
}
