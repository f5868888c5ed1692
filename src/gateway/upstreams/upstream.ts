import type { Tokens } from '../prices.ts'
import type { Estimate } from '../purse.ts'

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
  /** All that may be asked for. */
  readonly routes: readonly UpstreamRoute[]
  /** The body of an answer of the gateway's own, in the shape that the provider's errors have. */
  error(status: number, text: string): string
}

export interface UpstreamRoute {
  readonly method: string
  /** Matched on the whole path without its query. */
  readonly path: RegExp
  /** `local`: answered by the gateway, with 200 and no body. `free`: costs nothing. `paid`: counted against budgets. */
  readonly kind: 'local' | 'free' | 'paid'
  /** Looks at a request's body; null where there is none. */
  readonly inspect: (() => Inspection) | null
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
  readonly estimate: Estimate
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
