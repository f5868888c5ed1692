/** Whoever comes while one run goes on shares the next one with all others who do: what it finds is no older than they are. */
export function sharing(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | null = null
  return () =>
    (next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null
        const mine = run()
        running = mine
        return mine
      }))
}
