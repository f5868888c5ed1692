/** Where waiting and keeping end, whatever a box does. Times in ms, sizes in bytes. */
export interface GatewayLimits {
  /** From the beginning of a connection, or the end of its last answer, to the end of the next request's head. */
  readonly headMs: number
  readonly headBytes: number
  /** Between two pieces of a request's body. */
  readonly bodyIdleMs: number
  /** Without a byte in either direction, on a tunnel or while an answer is awaited; a model may think for minutes. */
  readonly idleMs: number
  /** Of a connection to an upstream that no call uses: less than most servers keep one, so that none is found closed. */
  readonly keptMs: number
  readonly resolveMs: number
  readonly dialMs: number
  /** From the answer to CONNECT to the end of the TLS hello. */
  readonly helloMs: number
  /** Of one request to an upstream, which is read as a whole before any of it goes out. */
  readonly upstreamBodyBytes: number
  /** Of all such requests of all boxes at once. */
  readonly heldBodyBytes: number
}

export const defaultLimits: GatewayLimits = {
  headMs: 30_000,
  headBytes: 32 * 1024,
  bodyIdleMs: 60_000,
  idleMs: 15 * 60_000,
  keptMs: 30_000,
  resolveMs: 10_000,
  dialMs: 10_000,
  helloMs: 10_000,
  upstreamBodyBytes: 32 * 1024 * 1024,
  heldBodyBytes: 96 * 1024 * 1024,
}
