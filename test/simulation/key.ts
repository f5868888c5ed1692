import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { SigningKey } from '../../control-plane/attest/key.ts'
import { keyId } from '../../src/domain/attestation.ts'
import type { HostPath } from '../../src/domain/brand.ts'

// PKCS 8 of an Ed25519 key that is all zeros: it guards nothing, and signs the same in every run.
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32)])
const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
const publicKey = createPublicKey(privateKey)

/** A key that is on no disk, and the same in every history. */
export const simulationKey: SigningKey = {
  id: keyId(publicKey),
  pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  path: '/nowhere' as HostPath,
  publicKey,
  sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
}
