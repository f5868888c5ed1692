import type { Millis } from '../domain/brand.ts'
import type { Outcome } from '../domain/outbox/destination.ts'
import type { Answered } from './post.ts'

/** Answers of a 4xx that are about the moment, not about what was sent. */
const passing: ReadonlySet<number> = new Set([408, 421, 423, 425, 429])

/** What an answer means for the letter. Anything but 2xx is a failure; a redirect is never followed. */
export function outcomeOf({ status, retryAfter }: Answered, now: Millis): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status === 410)
    return { kind: 'failed', fault: 'gone', text: 'The receiver says that it is gone (410).' }
  if (status >= 300 && status < 400)
    return {
      kind: 'failed',
      fault: 'refused',
      text: `The receiver sends elsewhere (${status}), which is not followed: name the address itself.`,
    }
  const fault = status >= 400 && status < 500 && !passing.has(status) ? 'refused' : 'passing'
  const afterMs = pauseOf(retryAfter, now)
  const text = `The receiver answered ${status}.`
  return { kind: 'failed', fault, text, ...(afterMs === null ? {} : { afterMs }) }
}

/** `Retry-After`: seconds, or a date. */
function pauseOf(header: string | null, now: Millis): Millis | null {
  if (header === null) return null
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isFinite(at) ? Math.max(0, at - now) : null
}
