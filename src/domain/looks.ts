/** How long what was found is told to those who may not have it looked for anew, ms. */
const goodForMs = 60_000

/**
 * A costly look at something, one at a time for all who ask: who asks while one goes on is given what that finds.
 * @param look rejects where it fails, which is not remembered
 * @param now milliseconds, of a clock that does not jump
 * @returns asks for `of`; where `isAnew` is false, what was found in the last minute does
 */
export function looks<Of, Found>(
  look: (of: Of) => Promise<Found>,
  now: () => number,
): (of: Of, isAnew: boolean) => Promise<Found> {
  const last = new Map<Of, { readonly found: Promise<Found>; endedAt: number | null }>()
  let before: Promise<unknown> = Promise.resolve()
  return (of, isAnew) => {
    const known = last.get(of)
    if (known !== undefined && (known.endedAt === null || (!isAnew && now() - known.endedAt < goodForMs)))
      return known.found
    const mine = { found: before.then(() => look(of)), endedAt: null as number | null }
    last.set(of, mine)
    before = mine.found.then(
      () => (mine.endedAt = now()),
      () => last.delete(of),
    )
    return mine.found
  }
}
