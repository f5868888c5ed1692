import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  describeKey,
  findKey,
  type KeyPlaces,
  keyPlaces,
  nonceKeyOf,
  openKey,
  type SigningKey,
} from '../../../control-plane/attest/key.ts'
import { isSignedBy } from '../../../src/domain/attestation.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { aTaskId } from '../../support/task.ts'

let folder: string
let data: HostPath
let places: KeyPlaces
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-key-'))
  data = join(folder, 'data') as HostPath
  mkdirSync(data, { mode: 0o700 })
  places = keyPlaces(data, null)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const nobody = (): readonly string[] => []
const opened = (attestedWith: readonly string[] = []): SigningKey => openKey(places, () => attestedWith)

/** The message of what opening and describing it refuse alike, with nothing changed. */
function refused(attestedWith: readonly string[] = []): string {
  const before = names()
  const messageOf = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      if (error instanceof Failure && error.code === 'data_folder') return error.message
      throw error
    }
    throw new Error('it was not refused')
  }
  const message = messageOf(() => opened(attestedWith))
  expect(messageOf(() => findKey(places, () => attestedWith))).toBe(message)
  expect(messageOf(() => describeKey(places, () => attestedWith))).toBe(message)
  expect(names()).toEqual(before)
  return message
}

const names = (): readonly string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()

const pem = (type: 'ed25519' | 'x25519'): string =>
  (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()

describe('the key of a data folder', () => {
  it('is made at first need, for its owner alone, and is the same from then on', () => {
    expect(describeKey(places, nobody)).toContain('it is made when it is first needed')
    expect(findKey(places, nobody)).toBeNull()
    expect(names()).toEqual(['data'])
    const key = opened()
    expect(names()).toEqual(['data', 'data/keys', 'data/keys/attestation.pem', 'data/keys/attestation.pub'])
    const { mode, uid } = statSync(places.key)
    expect([(mode & 0o777).toString(8), uid]).toEqual(['600', process.geteuid?.()])
    expect((statSync(join(data, 'keys')).mode & 0o777).toString(8)).toBe('700')
    expect(readFileSync(places.pin, 'utf8')).toBe(key.pem)
    expect(opened([key.id]).id).toBe(key.id)
    expect(findKey(places, nobody)?.id).toBe(key.id)
    expect(describeKey(places, nobody)).toBe(`key ${key.id.slice(0, 12)} in ${places.key}`)
  })

  it('signs what its public half, and no other, can check', () => {
    const key = opened()
    const signed = { taskId: aTaskId, seq: 1, body: 'é', hash: '', key: key.id, signature: key.sign('é') }
    expect(isSignedBy(signed, key.publicKey)).toBe(true)
    expect(isSignedBy({ ...signed, body: 'e' }, key.publicKey)).toBe(false)
    // The same bytes for a decoder that skips what it does not know.
    expect(isSignedBy({ ...signed, signature: `${signed.signature}\n` }, key.publicKey)).toBe(false)
    const other = openKey(keyPlaces(join(folder, 'other') as HostPath, null), nobody)
    expect(isSignedBy(signed, other.publicKey)).toBe(false)
  })

  it('is made after a process died half-way', () => {
    mkdirSync(join(data, 'keys'))
    for (const place of [places.key, places.pin]) writeFileSync(`${place}.new`, 'half')
    opened()
    expect(readdirSync(join(data, 'keys'))).toEqual(['attestation.pem', 'attestation.pub'])
  })

  it('is pinned again where only the pin is gone', () => {
    const { id } = opened()
    rmSync(places.pin)
    expect(opened([id]).id).toBe(id)
    expect(existsSync(places.pin)).toBe(true)
  })
})

describe('a key outside of the data folder', () => {
  beforeEach(() => {
    places = keyPlaces(data, join(folder, 'safe', 'key.pem') as HostPath)
  })

  it('lies there, and the data folder holds its public half alone', () => {
    mkdirSync(join(folder, 'safe'))
    const key = opened()
    expect((statSync(places.key).mode & 0o777).toString(8)).toBe('600')
    expect(readdirSync(join(data, 'keys'))).toEqual(['attestation.pub'])
    expect(opened([key.id]).id).toBe(key.id)
  })

  it('is not made in a folder that is not there: it may be on a disk that is not mounted', () => {
    expect(() => opened()).toThrow(/cannot be made .* make its folder/)
    expect(names()).toEqual(['data'])
  })

  it('may be a key that a person made', () => {
    mkdirSync(join(folder, 'safe'))
    writeFileSync(places.key, pem('ed25519'), { mode: 0o600 })
    const text = readFileSync(places.key, 'utf8')
    expect(opened().path).toBe(places.key)
    expect(readFileSync(places.key, 'utf8')).toBe(text)
  })
})

describe('what is refused, with what to do', () => {
  it('a key that is gone', () => {
    const { id } = opened()
    rmSync(places.key)
    const message = refused()
    expect(message).toContain(
      `(key ${id.slice(0, 12)}) is gone from ${places.key}: put it back from a backup`,
    )
    expect(message).toContain(`mv ${places.pin} `)
  })

  it('another key in its place', () => {
    opened()
    writeFileSync(places.key, pem('ed25519'))
    expect(refused()).toContain('is not the one that this data folder attests with')
  })

  it.each([
    ['no key', 'no key', 'is no Ed25519 private key'],
    ['a key of another kind', pem('x25519'), 'is no Ed25519 private key'],
    ['an empty file', '', 'is no Ed25519 private key'],
  ])('%s', (_, text, word) => {
    opened()
    writeFileSync(places.key, text)
    expect(refused()).toContain(word)
  })

  it.each([0o640, 0o604, 0o620])('a key that others can reach: mode %o', (mode) => {
    opened()
    chmodSync(places.key, mode)
    expect(refused()).toContain(`chmod 600 ${places.key}`)
  })

  it.runIf(process.geteuid?.() === 0)('a key of another user', () => {
    opened()
    chownSync(places.key, 12_345, 12_345)
    expect(refused()).toContain('belongs to another user (uid 12345)')
  })

  it('a folder in its place', () => {
    opened()
    rmSync(places.key)
    mkdirSync(places.key, { mode: 0o700 })
    expect(refused()).toContain('is no file')
  })

  it('a pipe in its place, without waiting for its other end', () => {
    opened()
    unlinkSync(places.key)
    execFileSync('mkfifo', ['-m', '600', places.key])
    expect(refused()).toContain('is no file')
  })

  it('a pin that is no key', () => {
    opened()
    writeFileSync(places.pin, 'none')
    expect(refused()).toContain(`${places.pin} is no Ed25519 public key`)
  })
})

describe('a new key over what an old one attested', () => {
  it.each([
    ['with all keys gone', () => rmSync(join(data, 'keys'), { recursive: true })],
    [
      'with a key of somebody else in their place',
      () => {
        rmSync(places.pin)
        writeFileSync(places.key, pem('ed25519'))
      },
    ],
  ])('is never taken silently: %s', (_, happens) => {
    const { id } = opened()
    happens()
    const message = refused([id])
    expect(message).toContain(`Tasks here are attested with key ${id.slice(0, 12)}`)
    expect(message).toContain('put that public key there under another name that ends in .pub')
  })

  it('is taken when a person says so as the refusal told them', () => {
    const old = opened()
    rmSync(places.key)
    const [, from = '', to = ''] = /`mv (\S+) (\S+)`/.exec(refused()) ?? []
    renameSync(from, to)
    const next = opened([old.id])
    expect(next.id).not.toBe(old.id)
    expect(readFileSync(to, 'utf8')).toBe(old.pem)
    expect(opened([old.id, next.id]).id).toBe(next.id)
  })
})

describe('B23 the secret that buttons are made with', () => {
  it('is the same after a restart, and another for another key', () => {
    const before = nonceKeyOf(openKey(places, () => []))
    expect(before).toMatch(/^[0-9a-f]{64}$/)
    expect(nonceKeyOf(openKey(places, () => []))).toBe(before)
    const elsewhere = join(folder, 'elsewhere') as HostPath
    mkdirSync(elsewhere, { mode: 0o700 })
    expect(nonceKeyOf(openKey(keyPlaces(elsewhere, null), () => []))).not.toBe(before)
  })

  it('is none where there is no key', () => {
    expect(() => nonceKeyOf(null)).toThrow(/There is no key yet/)
  })
})
