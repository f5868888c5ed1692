/** Time as it goes by: it stands still while the machine sleeps, as its boxes do. */
export interface Ticks {
  /** Milliseconds since some moment. */
  now(): number
  /** Calls `act` every so many milliseconds, which keeps no process alive. @returns what ends it */
  every(ms: number, act: () => void): () => void
}

export const ticks: Ticks = {
  now: () => performance.now(),
  every(ms, act) {
    const timer = setInterval(act, ms).unref()
    return () => clearInterval(timer)
  },
}
