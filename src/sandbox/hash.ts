import type { BoxSpec } from '../domain/box.ts'
import { canonicalJson, sha256 } from '../domain/canonical-json.ts'

/** What a box is recognised by after a crash: SHA-256 of its spec, lowercase hex. */
export function specHash(spec: BoxSpec): string {
  return sha256(canonicalJson(spec))
}
