const minute = 60_000
/** A person who merges it is not waited for by anybody. */
const longest = 30 * minute

/** How long a pull request is left alone that was looked at so often in vain, ms: one minute, two, four, … half an hour. */
export function waitOf(looks: number): number {
  return Math.min(longest, minute * 2 ** Math.min(looks, 10))
}
