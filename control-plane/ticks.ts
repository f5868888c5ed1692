/** Time as it goes by: it stands still while the machine sleeps, as its boxes do. Each method returns what ends it. */
export interface Ticks {
  /** Milliseconds since some moment. */
  now(): number
  /** Calls `act` every so many milliseconds, which keeps no process alive. */
  every(ms: number, act: () => void): () => void
  /** Calls `act` once, after so many milliseconds, which keeps no process alive. */
  later(ms: number, act: () => void): () => void
  /** The same for the end of something that is under way: the process lives until then. */
  deadline(ms: number, act: () => void): () => void
}

export const ticks: Ticks = {
  now: () => performance.now(),
  every(ms, act) {
    const timer = setInterval(act, ms).unref()
    return () => clearInterval(timer)
  },
  later(ms, act) {
    const timer = setTimeout(act, ms).unref()
    return () => clearTimeout(timer)
  },
  deadline(ms, act) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}
