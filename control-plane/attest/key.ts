import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { keyId, publicKeyOf } from '../../src/domain/attestation.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { AttestationKey } from '../../src/domain/control-plane.ts'
import { Failure, messageOf, systemCodeOf } from '../../src/domain/failure.ts'

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
 * should not be trusted: nothing is ever signed with a new key unless a person has renamed the pin.
 * @param attestedWith the ids of all keys that there are attestations of; asked for where there is no pin
 */
export function openKey(places: KeyPlaces, attestedWith: () => readonly string[]): SigningKey {
  const { key, pinned } = look(places)
  if (pinned !== null && key !== null) return key
  refuseUnknown(places, key, attestedWith())
  const own = key ?? signingKey(places.key, make(places))
  mkdirSync(dirname(places.pin), { recursive: true, mode: 0o700 })
  writeNew(places.pin, own.pem, 0o644)
  return own
}

/**
 * What the nonces of buttons are made with: a secret of the same key, which signs the same text alike each time, so that
 * buttons outlive a restart and there is no second secret to lose. Throws `Failure('data_folder')` where there is no key.
 */
export function nonceKeyOf(key: SigningKey | null): string {
  if (key === null) throw refusal('There is no key yet, and so no button: it is made with the first task.')
  return createHash('sha256').update(key.sign('cofferdam: nonces of decisions, 1')).digest('hex')
}

/** The same for who only reads: null where there is none yet. Makes nothing; throws as `openKey`. */
export function findKey(places: KeyPlaces, attestedWith: () => readonly string[]): SigningKey | null {
  const { key, pinned } = look(places)
  if (pinned === null) refuseUnknown(places, key, attestedWith())
  return key
}

/** A chain whose key is neither here nor put away by a person is never gone on with under another one. */
function refuseUnknown(places: KeyPlaces, key: SigningKey | null, attestedWith: readonly string[]): void {
  const putAway = retired(places)
  const unknown = attestedWith.find((id) => id !== key?.id && !putAway.includes(id))
  if (unknown === undefined) return
  throw refusal(
    `Tasks here are attested with ${shortId(unknown)}, and ${places.pin}, which names it, is gone: ` +
      `put ${dirname(places.pin)} back from a backup, the private key with it. Or, to go on with a new key, put that ` +
      'public key there under another name that ends in .pub.',
  )
}

/** The ids of public keys that lie beside the pin: those that were used before. */
function retired({ pin }: KeyPlaces): readonly string[] {
  const folder = dirname(pin)
  const names = overFile(folder as HostPath, () => readdirSync(folder)) ?? []
  return names
    .filter((name) => name.endsWith('.pub') && name !== basename(pin))
    .map((name) => readPin(join(folder, name) as HostPath))
    .filter((id) => id !== null)
}

/** What there is of the key, for people; changes nothing and throws as `openKey`. */
export function describeKey(places: KeyPlaces, attestedWith: () => readonly string[]): string {
  const key = findKey(places, attestedWith)
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
        `put it back from a backup. ${newKeyAdvice(places, pinned)}`,
    )
  }
  const key = signingKey(places.key, text)
  if (pinned === null || pinned === key.id) return { key, pinned }
  throw refusal(
    `The key ${places.key} is not the one that this data folder attests with (${shortId(pinned)}), but ` +
      `${shortId(key.id)}: put the right one back from a backup. ${newKeyAdvice(places, pinned)}`,
  )
}

function newKeyAdvice({ pin }: KeyPlaces, id: string): string {
  const other = pin.replace(/\.pub$/, `-${id.slice(0, 12)}.pub`)
  return (
    `Or, to go on with a new key: \`mv ${pin} ${other}\`; ` +
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
    // Not to wait for a writer where it is a pipe.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = fstatSync(file)
      if (!stats.isFile()) throw refusal(`The attestation key ${path} is no file: name another.`)
      if (![0, process.geteuid?.()].includes(stats.uid))
        throw refusal(
          `The attestation key ${path} belongs to another user (uid ${stats.uid}), who can read it: name another.`,
        )
      if ((stats.mode & 0o077) !== 0)
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

function make({ key: path, pin }: KeyPlaces): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  try {
    // Another folder may be a disk that is not mounted.
    if (dirname(path) === dirname(pin)) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeNew(path, text, 0o600)
  } catch (error) {
    throw refusal(
      `The attestation key ${path} cannot be made (${messageOf(error)}): make its folder, or name another place.`,
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
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function overFile<T>(path: HostPath, read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure) throw error
    if (systemCodeOf(error) === 'ENOENT') return null
    throw refusal(
      `The attestation key ${path} cannot be read (${messageOf(error)}): make it readable, or name another.`,
      error,
    )
  }
}

function refusal(text: string, cause?: unknown): Failure {
  return new Failure('data_folder', text, { cause })
}
