/** A call of a process that waits until the scheduler lets it go on. */
export interface Parked {
  readonly owner: number
  /** What it is about, such as `engine.list`. */
  readonly what: string
  readonly go: () => void
  readonly fail: (error: Error) => void
}

/** Every await of every process ends here: who goes on, and when, is for the scheduler to say. */
export class Yard {
  #parked: readonly Parked[] = []

  park(owner: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#parked = this.#parked.filter((other) => other !== parked)
      }
      const parked: Parked = {
        owner,
        what,
        go() {
          leave()
          resolve()
        },
        fail(error) {
          leave()
          reject(error)
        },
      }
      this.#parked = [...this.#parked, parked]
    })
  }

  waiting(mayRun: (owner: number) => boolean): readonly Parked[] {
    return this.#parked.filter(({ owner }) => mayRun(owner))
  }

  /** Breaks off what a process waits for, of this kind. */
  breakOff(owner: number, kind: string, error: Error): void {
    for (const parked of this.#parked)
      if (parked.owner === owner && parked.what.startsWith(kind)) parked.fail(error)
  }

  /** What a dead process waited for never comes. */
  drop(owner: number): void {
    this.#parked = this.#parked.filter((parked) => parked.owner !== owner)
  }
}

/** The same object, whose asynchronous methods wait in the yard before they take effect, and again before they answer. */
export function slowly<T extends object>(
  target: T,
  { yard, owner, kind, atOnce }: { yard: Yard; owner: number; kind: string; atOnce: readonly (keyof T)[] },
): T {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (typeof name === 'symbol' || (atOnce as readonly string[]).includes(name)) return method.bind(target)
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await yard.park(owner, `${kind}.${name}`)
        const answer: unknown = await Reflect.apply(method, target, args)
        await yard.park(owner, `${kind}.${name} answers`)
        return answer
      }
    },
  })
}
