import { Refused } from './api.ts'

export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown))

const firstWaitMs = 500
const longestWaitMs = 10_000

export interface Persisting {
  /** Tries at once, unless a try is under way or it has come off. */
  readonly again: () => void
  readonly end: () => void
}

/**
 * Tries something until it comes off: at once, when the browser is online again, and after waits that grow. What the server
 * refuses stays refused, and is tried again only when that is asked for.
 * @param failed hears of each try that failed
 */
export function persist(work: () => Promise<void>, failed: (error: Error) => void): Persisting {
  let timer: ReturnType<typeof setTimeout> | undefined
  let waitMs = firstWaitMs
  let isBusy = false
  let ended = false
  const end = (): void => {
    ended = true
    clearTimeout(timer)
    removeEventListener('online', again)
  }
  const attempt = async (): Promise<void> => {
    isBusy = true
    try {
      await work()
      end()
    } catch (error) {
      if (ended) return
      failed(asError(error))
      if (error instanceof Refused && error.status < 500) return
      timer = setTimeout(again, waitMs)
      waitMs = Math.min(longestWaitMs, waitMs * 2)
    } finally {
      isBusy = false
    }
  }
  function again(): void {
    if (isBusy || ended) return
    clearTimeout(timer)
    void attempt()
  }
  addEventListener('online', again)
  again()
  return { again, end }
}
