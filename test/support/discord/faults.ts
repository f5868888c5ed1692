/** What goes wrong with a request, as a test scripts it. */
export type Fault =
  /** Refused before it has taken effect, or after. */
  | { readonly kind: 'status'; readonly status: number; readonly after?: boolean }
  /** Accepted, and never answered; or not even accepted, as where it takes too long to send. */
  | { readonly kind: 'hang'; readonly before?: boolean }
  /** Accepted, and answered so many ms later. */
  | { readonly kind: 'late'; readonly ms: number }
  /** The connection is closed, before it has taken effect or after. */
  | { readonly kind: 'drop'; readonly after?: boolean }
  /** 429, for so many seconds. */
  | { readonly kind: 'rate_limit'; readonly seconds: number; readonly global?: boolean }

export interface Seen {
  readonly method: string
  /** Decoded, without the version: `/channels/1/messages`. */
  readonly path: string
  /** What it was answered with; null where it was not. */
  status: number | null
}

interface Scripted {
  readonly method: string
  readonly path: RegExp
  readonly fault: Fault
  left: number
}

/** Faults by route, each for so many requests, in the order in which they were scripted. */
export class Faults {
  readonly #scripted: Scripted[] = []

  /** From now on, the next `times` requests of this kind go wrong. */
  next(method: string, path: RegExp, fault: Fault, times = 1): void {
    this.#scripted.push({ method, path, fault, left: times })
  }

  clear(): void {
    this.#scripted.length = 0
  }

  /** The fault that a request meets, which is used up by it. */
  take({ method, path }: Seen): Fault | null {
    const found = this.#scripted.find((one) => one.left > 0 && one.method === method && one.path.test(path))
    if (found === undefined) return null
    found.left -= 1
    return found.fault
  }
}
