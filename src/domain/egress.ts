import type { Millis } from './brand.ts'
import type { TaskId } from './ids.ts'

/** Where the gateway is in every box that reaches one: its first program listens there (`sandbox-image/entry`). */
export const gatewayPort = 3128
export const gatewayAddress = `127.0.0.1:${gatewayPort}`

/** Names that a box may open tunnels to. Nothing that no rule names is reached. */
export interface TunnelRule {
  /**
   * `example.test`, or `*.example.test` for every name below it (not itself); lower case, ASCII (IDNA), no trailing dot.
   * An address only as a literal that somebody granted as such (`192.0.2.7`, `[2001:db8::1]`).
   */
  readonly host: string
  /** At least one. */
  readonly ports: readonly number[]
  /**
   * Whether the name may resolve to addresses that are not public, which is so for what the machine's own settings name,
   * such as a registry of a company. Loopback, link-local and metadata addresses are never reached.
   */
  readonly inside: boolean
  /** Who grants it, for people: `policy`, `npm registry`, ... */
  readonly why: string
}

/** All that a box may reach, computed before it starts. Where a box has none of this, it has no socket at all. */
export interface Egress {
  readonly tunnels: readonly TunnelRule[]
  /** Names of the upstreams at `http://127.0.0.1:3128/<name>/` in the box. */
  readonly upstreams: readonly string[]
  readonly limits: EgressLimits
}

export interface EgressLimits {
  /** Open at once. */
  readonly connections: number
  /** Of the whole box, MiB: what it sends and what it gets. */
  readonly upMb: number
  readonly downMb: number
}

/**
 * One thing that a box asked of the gateway, and what became of it. Recorded when it is decided; recorded again under the
 * same `id` when the connection is over, with what it moved.
 */
export interface EgressDecision {
  /** Of this box, from 1. */
  readonly id: number
  readonly at: Millis
  /** `tunnel`: CONNECT. `forward`: plain HTTP by absolute address. `upstream`: a named route. `other`: cannot be read. */
  readonly kind: 'tunnel' | 'forward' | 'upstream' | 'other'
  /** Canonical, or as it was asked for (made printable, at most 255 characters) where it is none. */
  readonly host: string
  readonly port: number | null
  /** Of plain HTTP and upstreams; the path without its query, at most 500 characters. */
  readonly method: string | null
  readonly path: string | null
  /**
   * `denied`: a rule says no. `failed`: nothing forbids it, and it did not pass whole: it was not found or not reached, broke
   * off, could not be recorded, or the gateway was busy.
   */
  readonly verdict: 'allowed' | 'denied' | 'failed'
  /** The rule that decided: a tunnel's `host`, an upstream's name, `no rule`, `always blocked`, `budget`, `leak`, ... */
  readonly rule: string
  /** A sentence for people: why, and how to allow it where it was denied. */
  readonly text: string
  /** The address that was dialled. */
  readonly address: string | null
  /** Null until the connection is over, bytes. */
  readonly bytesUp: number | null
  readonly bytesDown: number | null
}

/** A decision with the box that it was about, as it is on record. */
export interface EgressRow extends EgressDecision {
  readonly taskId: TaskId
  /** The box's name. */
  readonly box: string
}

/** What a box did with its egress, for the attestation of its step. */
export interface EgressCounts {
  readonly allowed: number
  readonly denied: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Null where a call's model has no price. */
  readonly costUsd: number | null
}
