const firstMs = 5000

/** How long to wait after so many failures or tries in a row, ms: five seconds, and twice as long each time. */
export function pauseAfter(times: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** (times - 1))
}
