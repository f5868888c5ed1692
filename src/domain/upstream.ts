import type { Secret } from './secret.ts'

/** What the operator says about an upstream. */
export interface UpstreamSettings {
  /** `https://host`; null is the provider's own. */
  readonly origin: string | null
  /** Null where there is none: then the upstream cannot be used. */
  readonly key: Secret | null
  /** Where the key is looked for, for people: `the environment variable X`, `the file Y`. */
  readonly keyFrom: string
}

/** List prices of a model, US dollars for a million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  /** Kept for minutes. What is kept for an hour costs twice the input. */
  readonly cacheWrite: number
  /** The most output that the model gives, tokens: set aside for a call that names no limit. */
  readonly maxOutput?: number
}

/** By the name of a model, or its beginning and `*` at the end; the longest that fits counts. */
export type Prices = Readonly<Record<string, Price>>

/** What models cost. One without a price is counted in tokens alone. */
export interface PriceList {
  /** The day that the prices are of, `2026-01-31`. */
  readonly asOf: string
  /** They came with the program: nothing is configured. */
  readonly isShipped: boolean
  readonly models: Prices
}
