import type { Unavailable } from '../domain/gateway.ts'

/** So many calls in a row that a provider turns away end a box: a minute, as most programs wait longer each time. */
const most = 6

/**
 * How long a box may go on asking a provider that lets nothing through. Some programs ask again for as long as they run and
 * say nothing, so that nobody would learn of it before the time of their step is over.
 */
export class Patience {
  readonly #over: (unavailable: Unavailable) => void
  /** Calls in a row that were turned away, by upstream. */
  readonly #turnedAway = new Map<string, number>()

  /** @param over told once for each upstream, when it has come to an end */
  constructor(over: (unavailable: Unavailable) => void) {
    this.#over = over
  }

  /**
   * A call begins. Those that are made at once and turned away together count as one; the next is one that begins after.
   * @returns to be told the status of its whole answer; null where there was none
   */
  begin(upstream: string): (status: number | null) => void {
    const before = this.#turnedAway.get(upstream) ?? 0
    return (status) => {
      if (status !== null && status < 300) this.#turnedAway.set(upstream, 0)
      if (!isPassing(status) || (this.#turnedAway.get(upstream) ?? 0) !== before) return
      this.#turnedAway.set(upstream, before + 1)
      if (before + 1 === most) this.#over({ upstream, ...told(upstream, status) })
    }
  }
}

/** What another call may be let through after. What else is wrong with one says nothing of its provider. */
function isPassing(status: number | null): boolean {
  return status === null || status === 429 || status >= 500
}

function told(upstream: string, status: number | null): Omit<Unavailable, 'upstream'> {
  const last = status === null ? 'the last without a whole answer' : `the last with status ${status}`
  const then = `It turned ${most} calls in a row away, ${last}, so the box was ended.`
  return status === 429
    ? { kind: 'rate_limit', text: `The provider ${upstream} limits the rate of calls. ${then}` }
    : { kind: 'overload', text: `The provider ${upstream} is overloaded or down. ${then}` }
}
