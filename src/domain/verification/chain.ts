import { type Attestation, isSignedBy, parseAttestation, type SignedAttestation } from '../attestation.ts'
import { canonicalJson, sha256 } from '../canonical-json.ts'
import type { Evidence, TrustedKey, VerificationFinding } from './evidence.ts'
import { short } from './evidence.ts'

/** An attestation that could be read, with the hash that it has by its own body. */
export interface Link {
  readonly attestation: Attestation
  readonly hash: string
}

/** Reads the chain, and finds what in it is no attestation of ours: signatures, hashes, order, gaps. */
export function checkChain(
  { id, installation }: Pick<Evidence, 'id' | 'installation'>,
  signed: readonly SignedAttestation[],
  keys: readonly TrustedKey[],
): { links: readonly Link[]; findings: readonly VerificationFinding[] } {
  const links: Link[] = []
  const findings: VerificationFinding[] = []
  let previous: string | null = null
  for (const [index, row] of signed.entries()) {
    const say = (text: string): void => void findings.push({ where: `attestation ${row.seq}`, text })
    const hash = sha256(row.body)
    const attestation = parseAttestation(row.body)
    if (row.seq !== index + 1) say(`It stands where number ${index + 1} should: one was taken out or moved.`)
    if (row.hash !== hash) say('Its body or its hash was changed: the one is not the hash of the other.')
    const trusted = keys.find((key) => key.id === row.key)
    if (trusted === undefined) say(`It names the key ${short(row.key)}, which is not trusted here.`)
    else if (!isSignedBy(row, trusted.key)) say('Its signature is not of its body: one of them was changed.')
    if (attestation === null || canonicalJson(attestation) !== row.body) {
      say('Its body is no attestation that this version knows.')
    } else {
      if (attestation.key !== row.key)
        say(`It was made with the key ${short(attestation.key)} and names another.`)
      if (attestation.task !== id || attestation.seq !== row.seq || attestation.installation !== installation)
        say('It was made for another task, place or installation.')
      if (attestation.previous !== previous)
        say('It does not follow the one before it: one was changed, taken out or put in.')
      links.push({ attestation, hash })
    }
    previous = hash
  }
  return { links, findings }
}
