import type { AgentErrorKind, Usage } from './agent.ts'
import type { BoxSpec } from './box.ts'
import type { EgressCounts, EgressDecision } from './egress.ts'

/** What is left of a task's budgets that the gateway guards; null is no limit. */
export interface SpendLeft {
  readonly tokens: number | null
  readonly costUsd: number | null
}

/** A known secret in what passed by. Never holds the secret itself. */
export interface Leak {
  /** The name of the secret, as configured. */
  readonly secret: string
  /** `up`: out of the box. `down`: to it. `output`: what the box printed. */
  readonly way: 'up' | 'down' | 'output'
  /** `raw`, `url`, `json`, `hex` or `base64`. */
  readonly encoding: string
}

/** A provider of models that lets none of a box's calls through. */
export interface Unavailable {
  readonly upstream: string
  readonly kind: Extract<AgentErrorKind, 'rate_limit' | 'overload'>
  readonly text: string
}

/** Who is told what a box does, and says what it may still spend. Its methods are synchronous and must not throw. */
export interface Overseer {
  /** Recorded before anything is dialled, so that no connection is made that is on no record. */
  decided(decision: EgressDecision): void
  /** Asked before each call of an upstream that counts. */
  left(): SpendLeft
  /** Charged as soon as it is known: during a streamed answer too. */
  spent(usage: Usage): void
  /** A call was refused for its budget: the box is to be ended. */
  exhausted(budget: 'tokens' | 'cost'): void
  /** Call after call was turned away: the box is to be ended. */
  unavailable(unavailable: Unavailable): void
  leaked(leak: Leak): void
}

/**
 * What stands at the other end of a box's only socket. One passage per box, so that identity is the socket. Fails closed:
 * what it cannot read, resolve, record or count does not pass.
 */
export interface Gateway {
  /** Opens the passage of a box whose spec has an egress. Opened again for the same box (after a restart), it starts anew. */
  open(box: Pick<BoxSpec, 'name' | 'kind' | 'egress'>, overseer: Overseer): Passage
}

export interface Passage {
  /** Takes one connection of the box; never throws, and destroys the stream when it is done with it. */
  accept(connection: NodeJS.ReadWriteStream): void
  counts(): EgressCounts
  /** Ends every connection. Safe to call again. */
  close(): Promise<void>
}
