// What the other side says has `remote: ` before it: only what is counted here counts.
const line = /(?:^|[\r\n])(Receiving objects|Resolving deltas): +(\d+)%/g

/** The last that a piece of git's output says of how far it is, such as `Receiving objects: 45%`; null where it says nothing. */
export function progressIn(text: string): string | null {
  const last = [...text.matchAll(line)].at(-1)
  return last === undefined ? null : `${last[1] ?? ''}: ${last[2] ?? ''}%`
}
