/** Ids of what has come lately: a connection that is taken up again may bring something twice. */
export class Seen {
  readonly #ids = new Set<string>()

  /** Whether it has come before; it has from now on. */
  before(id: string): boolean {
    if (this.#ids.has(id)) return true
    if (this.#ids.size >= 5000) this.#ids.clear()
    this.#ids.add(id)
    return false
  }
}
