import type { HostPath } from './brand.ts'

/** A folder that a box does not see as it is here, with the reason in half a sentence. */
export interface NotTheSame {
  readonly path: HostPath
  readonly why: string
}

/** What is wrong and what to do about it, in a sentence each; null where all folders are the same. Pure. */
export function placesProblem(found: readonly NotTheSame[]): string | null {
  if (found.length === 0) return null
  const each = found.map(({ path, why }) => `${path} is not the same inside and out: ${why}.`)
  return `${each.join(' ')} Give the control plane these folders of the engine's machine, at the same paths and to be written.`
}
