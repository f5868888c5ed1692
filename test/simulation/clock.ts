interface Timer {
  readonly owner: number
  due: number
  /** Null for one that is due once. */
  readonly every: number | null
  readonly act: () => void
}

/** The time of the machine, which goes by only when the scheduler says so, and what waits for it. */
export class Clock {
  /** Time as it goes by: it stands still while the machine sleeps. */
  #ticks = 0
  /** What a clock on the wall shows more than that. */
  #ahead: number
  #timers: readonly Timer[] = []

  constructor(start: number) {
    this.#ahead = start
  }

  /** What a clock on the wall shows, ms. */
  now(): number {
    return this.#ahead + this.#ticks
  }

  ticks(): number {
    return this.#ticks
  }

  /** @returns what ends it */
  every(owner: number, every: number, act: () => void): () => void {
    return this.#set({ owner, due: this.#ticks + every, every, act })
  }

  /** @returns what ends it */
  later(owner: number, ms: number, act: () => void): () => void {
    return this.#set({ owner, due: this.#ticks + Math.max(1, ms), every: null, act })
  }

  /** Resolves after so long, and at once when the signal is aborted. */
  sleep(owner: number, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        end()
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const end = this.later(owner, ms, wake)
      if (signal.aborted) wake()
      else signal.addEventListener('abort', wake, { once: true })
    })
  }

  /** The machine sleeps, and nobody notices but by the clock on the wall. */
  suspend(ms: number): void {
    this.#ahead += ms
  }

  /** Lets time go by, and what is due happen in its order. A process that is stopped misses it until it goes on. */
  advance(ms: number, mayRun: (owner: number) => boolean): void {
    const end = this.#ticks + ms
    for (;;) {
      const due = this.#next(mayRun)
      if (due === undefined || due.due > end) break
      this.#ticks = Math.max(this.#ticks, due.due)
      if (due.every === null) this.#remove(due)
      else due.due = this.#ticks + due.every
      due.act()
    }
    this.#ticks = end
  }

  /** How long until something is due for a process that runs; null where nothing is. */
  untilDue(mayRun: (owner: number) => boolean): number | null {
    const next = this.#next(mayRun)
    return next === undefined ? null : Math.max(0, next.due - this.#ticks)
  }

  drop(owner: number): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
  }

  #next(mayRun: (owner: number) => boolean): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers)
      if (mayRun(timer.owner) && (next === undefined || timer.due < next.due)) next = timer
    return next
  }

  #set(timer: Timer): () => void {
    this.#timers = [...this.#timers, timer]
    return () => this.#remove(timer)
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }
}
