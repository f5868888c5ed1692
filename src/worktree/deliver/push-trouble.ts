/**
 * What keeps a branch from being moved by a push that has got to the other repository.
 * `backward`: what is there is not in the history of what is to be. `hindered`: a hook or a protected branch.
 */
export type PushTrouble = 'full' | 'checkedOut' | 'moved' | 'backward' | 'hindered' | 'denied' | 'readOnly'

/** By what git and the far end print; the first that fits counts. */
const signs: readonly (readonly [PushTrouble, RegExp])[] = [
  ['full', /No space left on device|[Dd]isk quota exceeded|unable to write|file write error/],
  ['checkedOut', /branch is currently checked out/],
  ['moved', /stale info|cannot lock ref|failed to update ref|incorrect old value/],
  ['backward', /non-fast-forward|fetch first/],
  ['hindered', /\[remote rejected\]|hook declined|protected branch/],
  // With something in brackets it is ssh, which has not got there.
  ['denied', /error: 403|not permitted|not allowed|[Pp]ermission.*denied(?! \()|denied to|[Aa]ccess denied/],
  ['readOnly', /read.only/],
]

/** Null where it is none of them, and mostly about getting there at all. */
export function pushTrouble(said: string): PushTrouble | null {
  return signs.find(([, sign]) => sign.test(said))?.[0] ?? null
}
