import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { HostPath } from '../domain/brand.ts'
import { Failure, systemCodeOf } from '../domain/failure.ts'
import { at } from './layout.ts'

/**
 * The authorities that git is to believe, as one file: git takes one alone, and Node adds those of `extra` to its own, so
 * it is the same here. Written anew each time, into the data folder.
 * @param extra what `NODE_EXTRA_CA_CERTS` names
 * @returns `extra` itself where there is no data folder yet
 */
export function authoritiesFile(data: HostPath, extra: HostPath): HostPath {
  const file = at(data, 'authorities.pem')
  const half = `${file}.${process.pid}.new`
  const all = [...rootCertificates, read(extra)].join('\n')
  try {
    writeFileSync(half, `${all}\n`, { mode: 0o600 })
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return extra
    throw error
  }
  renameSync(half, file)
  return file
}

function read(extra: HostPath): string {
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
