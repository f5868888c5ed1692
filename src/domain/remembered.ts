/**
 * Asks at the first need and remembers the answer, also while it is awaited; what failed is asked again, and so is what
 * `isOld` says of.
 */
export function remembered<T>(ask: () => Promise<T>, isOld: () => boolean = () => false): () => Promise<T> {
  let known: Promise<T> | null = null
  return () => {
    if (known !== null && !isOld()) return known
    const asked: Promise<T> = ask().catch((error: unknown) => {
      if (known === asked) known = null
      throw error
    })
    known = asked
    return asked
  }
}
