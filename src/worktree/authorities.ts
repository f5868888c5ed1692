import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { HostPath } from '../domain/brand.ts'
import { Failure, systemCodeOf } from '../domain/failure.ts'
import { at } from './layout.ts'

/**
 * The authorities that git is to believe, as one file: git takes one alone, and Node adds those of `extra` to its own, so
 * it is the same here. Where the file says the same already it is left alone, so that a full disk is in nobody's way.
 * Throws `Failure('bad_config' | 'disk')`.
 * @param folder where the file is or is made: the data folder, or one aside
 * @param extra what `NODE_EXTRA_CA_CERTS` names
 * @returns `extra` itself where there is no such folder yet
 */
export function authoritiesFile(folder: HostPath, extra: HostPath): HostPath {
  const file = at(folder, 'authorities.pem')
  const all = `${[...rootCertificates, readAuthorities(extra)].join('\n')}\n`
  if (isThere(file, all)) return file
  const half = `${file}.${process.pid}.new`
  try {
    writeFileSync(half, all, { mode: 0o600 })
    renameSync(half, file)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return extra
    rmSync(half, { force: true })
    throw new Failure(
      'disk',
      `${file}, with the authorities that git is to believe, cannot be written (${systemCodeOf(error)}): make room there, or make it writable.`,
      { cause: error },
    )
  }
  return file
}

function isThere(file: HostPath, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

/** The certificates that `NODE_EXTRA_CA_CERTS` names, in PEM. Throws `Failure('bad_config')`. */
export function readAuthorities(extra: HostPath): string {
  try {
    return readFileSync(extra, 'utf8').trim()
  } catch (error) {
    throw new Failure(
      'bad_config',
      `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read (${systemCodeOf(error)}): name a file of certificates in PEM, or take it out of the environment.`,
      { cause: error },
    )
  }
}
