/** Work in turn: what is about the same thing waits for what was begun before it, and nothing else does. */
export class Turns {
  /** The end of what was begun last, by what it is about; none of them rejects. */
  readonly #ends = new Map<string, Promise<void>>()

  async take<T>(about: string, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(about) ?? Promise.resolve()
    const turn = before.then(work)
    const end = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#ends.set(about, end)
    try {
      return await turn
    } finally {
      if (this.#ends.get(about) === end) this.#ends.delete(about)
    }
  }
}
