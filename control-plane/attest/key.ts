import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { keyId, publicKeyOf } from '../../src/domain/attestation.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { AttestationKey } from '../../src/domain/control-plane.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'

/** What attestations are signed with. The private half stays in here. */
export interface SigningKey extends AttestationKey {
  readonly path: HostPath
  readonly publicKey: KeyObject
  /** Ed25519 over the text's UTF-8, base64. */
  sign(text: string): string
}

/** Where the keys of a data folder are. */
export interface KeyPlaces {
  /** The private key. */
  readonly key: HostPath
  /** The public key that this data folder is used with: once it is there, no other private key is taken. */
  readonly pin: HostPath
}

/** `configured`: a place outside the data folder for the private key. */
export function keyPlaces(data: HostPath, configured: HostPath | null): KeyPlaces {
  return {
    key: configured ?? (join(data, 'keys', 'attestation.pem') as HostPath),
    pin: join(data, 'keys', 'attestation.pub') as HostPath,
  }
}

/**
 * The key of a data folder, made at first need. Throws `Failure('data_folder')` where it is gone, another one, or one that
 * should not be trusted: nothing is ever signed with a new key unless a person has put the pin away.
 */
export function openKey(places: KeyPlaces): SigningKey {
  const { key, pinned } = look(places)
  const own = key ?? signingKey(places.key, make(places.key))
  if (pinned === null) {
    mkdirSync(dirname(places.pin), { recursive: true, mode: 0o700 })
    writeNew(places.pin, own.pem, 0o644)
  }
  return own
}

/** What there is of the key, for people; changes nothing and throws as `openKey`. */
export function describeKey(places: KeyPlaces): string {
  const { key } = look(places)
  if (key === null) return `${places.key} does not exist yet: it is made when it is first needed`
  return `${shortId(key.id)} in ${places.key}`
}

/** The key and the pin's id, each null where it is not there; throws where they do not go together. */
function look(places: KeyPlaces): { key: SigningKey | null; pinned: string | null } {
  const pinned = readPin(places.pin)
  const text = readPrivate(places.key)
  if (text === null) {
    if (pinned === null) return { key: null, pinned }
    throw refusal(
      `The key that this data folder attests with (${shortId(pinned)}) is gone from ${places.key}: ` +
        `put it back from a backup. ${newKeyAdvice(places)}`,
    )
  }
  const key = signingKey(places.key, text)
  if (pinned === null || pinned === key.id) return { key, pinned }
  throw refusal(
    `The key ${places.key} is not the one that this data folder attests with (${shortId(pinned)}), but ` +
      `${shortId(key.id)}: put the right one back from a backup. ${newKeyAdvice(places)}`,
  )
}

function newKeyAdvice({ pin }: KeyPlaces): string {
  return (
    `Or, to go on with a new key, move ${pin} to another place: ` +
    'what was attested before is then checked with `cofferdam verify TASK --key` and that file.'
  )
}

function shortId(id: string): string {
  return `key ${id.slice(0, 12)}`
}

/** The id of the pinned key; null where none is pinned yet. */
function readPin(pin: HostPath): string | null {
  const text = overFile(pin, () => readFileSync(pin, 'utf8'))
  if (text === null) return null
  const key = publicKeyOf(text)
  if (key === null) throw refusal(`${pin} is no Ed25519 public key: put it back from a backup.`)
  return keyId(key)
}

/** The text of a private key that nobody else can read; null where there is no such file. */
function readPrivate(path: HostPath): string | null {
  return overFile(path, () => {
    const file = openSync(path, 'r')
    try {
      const { mode } = fstatSync(file)
      if ((mode & 0o077) !== 0)
        throw refusal(`The attestation key ${path} can be read by others: run \`chmod 600 ${path}\`.`)
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  })
}

function signingKey(path: HostPath, text: string): SigningKey {
  const key = privateKeyOf(text)
  if (key?.asymmetricKeyType !== 'ed25519')
    throw refusal(
      `The attestation key ${path} is no Ed25519 private key in PEM: name another in the configuration.`,
    )
  const publicKey = createPublicKey(key)
  return {
    path,
    publicKey,
    id: keyId(publicKey),
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (body) => sign(null, Buffer.from(body), key).toString('base64'),
  }
}

function privateKeyOf(text: string): KeyObject | null {
  try {
    return createPrivateKey(text)
  } catch {
    return null
  }
}

function make(path: HostPath): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeNew(path, text, 0o600)
  } catch (error) {
    throw refusal(
      `The attestation key ${path} cannot be made (${messageOf(error)}): name another place for it.`,
      error,
    )
  }
  return text
}

/** Whole and on the disk when it returns; never in the place of another file. */
function writeNew(path: HostPath, text: string, mode: number): void {
  const half = `${path}.new`
  rmSync(half, { force: true })
  const file = openSync(half, 'wx', mode)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  linkSync(half, path)
  rmSync(half)
}

function overFile<T>(path: HostPath, read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw refusal(
      `The attestation key ${path} cannot be read (${messageOf(error)}): make it readable, or name another.`,
      error,
    )
  }
}

function refusal(text: string, cause?: unknown): Failure {
  return new Failure('data_folder', text, { cause })
}
