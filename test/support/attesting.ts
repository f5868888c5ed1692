import { generateKeyPairSync, sign } from 'node:crypto'
import { attestor, type Attestor } from '../../control-plane/attest/attestor.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { keyId } from '../../src/domain/attestation.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = {
  id: keyId(publicKey),
  sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64'),
}

/** The attestor itself, with a key that is on no disk. */
export function attesting(store: Store): Attestor {
  return attestor({ store, key: () => key, installation: 'test' })
}
