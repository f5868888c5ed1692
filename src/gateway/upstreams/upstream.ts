import type { Tokens } from '../prices.ts'

/**
 * A service outside that boxes reach by a name, with a credential that they never see. Plain data and pure functions, made
 * by the adapter of its provider: one file each in this folder.
 */
export interface Upstream {
  /** In the box: `http://127.0.0.1:3128/<name>/…`. Lower-case letters, digits and `-`, at most 40. */
  readonly name: string
  /** `https://host[:port]`; also `http://…` and any address, for the operator named it. */
  readonly origin: string
  readonly credential: { readonly header: string; readonly value: string } | null
  /** Headers of requests that are dropped besides, lower case: other ways to hand in a credential. */
  readonly drops: readonly string[]
  /** What is left of a query, which begins with `?` or is empty; all of it where there is no such function. */
  readonly query?: (query: string) => string
  /** All that may be asked for. */
  readonly routes: readonly UpstreamRoute[]
  /** The body of an answer of the gateway's own, in the shape that the provider's errors have. `isPassing`: another try may pass. */
  error(status: number, text: string, isPassing: boolean): string
}

export interface UpstreamRoute {
  readonly method: string
  /** Matched on the whole path without its query. */
  readonly path: RegExp
  /** `local`: answered by the gateway, with 200 and no body. `free`: costs nothing. `paid`: counted against budgets. */
  readonly kind: 'local' | 'free' | 'paid'
  /** Looks at a request's body; null where there is none. `path` is the whole one that was asked for. */
  readonly inspect: ((path: string) => Inspection) | null
  /** Counts an answer with status 200; for `paid`. */
  readonly counter: (() => Counter) | null
}

/** Looks at one JSON body while it is read. */
export interface Inspection {
  visit(path: readonly string[], value: string | number | boolean | null | undefined): void
  /** Called once at the end, with the length of the whole body. */
  result(bytes: number): Inspected | { readonly problem: string }
}

export interface Inspected {
  readonly model: string
  /** Tokens, at most. `output` of one answer; null where the request does not say. */
  readonly estimate: { readonly input: number; readonly output: number | null }
  /** How many answers are asked for at once; one where it is not there. */
  readonly choices?: number
  /** Members that the gateway puts at the end of the request's object, `"key":value`. */
  readonly append?: readonly string[]
  /** What the box gets of a stream, where it did not ask for all that comes. */
  readonly filter?: () => Filter
}

/** Bytes in, bytes out, in order; what is held back comes later or at the end. */
export interface Filter {
  push(chunk: Buffer): Buffer
  end(): Buffer
}

/** Follows the usage that one answer reports. */
export interface Counter {
  /** `type` is the answer's content type. Never throws. */
  see(chunk: Buffer, type: string): void
  /** What is known by now; null where nothing was reported. */
  readonly tokens: Tokens | null
  /** Whether the answer said all that it had to say. */
  readonly complete: boolean
  /** The model's output that was seen, tokens, from its length: counts where an answer was cut before it said more. */
  readonly seenOutput: number
}
