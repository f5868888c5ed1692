interface Timer {
  readonly owner: number
  due: number
  readonly every: number
  readonly act: () => void
}

/** The time of the machine, which goes by only when the scheduler says so, and what waits for it. */
export class Clock {
  #now: number
  #timers: readonly Timer[] = []

  constructor(start: number) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  /** @returns what ends it */
  every(owner: number, every: number, act: () => void): () => void {
    const timer: Timer = { owner, due: this.#now + every, every, act }
    this.#timers = [...this.#timers, timer]
    return () => this.#remove((other) => other === timer)
  }

  /** Resolves after so long, and at once when the signal is aborted. */
  sleep(owner: number, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        end()
        resolve()
      }
      const end = this.every(owner, Math.max(1, ms), wake)
      if (signal.aborted) wake()
      else signal.addEventListener('abort', wake, { once: true })
    })
  }

  /** Lets time go by, and what is due happen in its order. A process that is stopped misses it until it goes on. */
  advance(ms: number, mayRun: (owner: number) => boolean): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers
        .filter((timer) => timer.due <= end && mayRun(timer.owner))
        .toSorted((a, b) => a.due - b.due)[0]
      if (due === undefined) break
      this.#now = Math.max(this.#now, due.due)
      due.due = this.#now + due.every
      due.act()
    }
    this.#now = end
  }

  /** How long until something is due for a process that runs; null where nothing is. */
  untilDue(mayRun: (owner: number) => boolean): number | null {
    const dues = this.#timers.filter(({ owner }) => mayRun(owner)).map(({ due }) => due)
    return dues.length === 0 ? null : Math.max(0, Math.min(...dues) - this.#now)
  }

  drop(owner: number): void {
    this.#remove((timer) => timer.owner === owner)
  }

  #remove(these: (timer: Timer) => boolean): void {
    this.#timers = this.#timers.filter((timer) => !these(timer))
  }
}
