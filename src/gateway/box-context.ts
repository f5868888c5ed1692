import type { BoxKind } from '../domain/box.ts'
import type { Egress } from '../domain/egress.ts'
import type { KnownSecrets } from '../domain/leak.ts'
import type { Prices } from '../domain/upstream.ts'
import type { BodyMemory } from './body-memory.ts'
import type { Ledger } from './ledger.ts'
import type { Patience } from './patience.ts'
import type { Purse } from './purse.ts'
import type { Network } from './reach.ts'
import type { Route } from './route.ts'
import type { Traffic } from './traffic.ts'

/** All that the handling of one box's requests needs to know. */
export interface BoxContext {
  readonly kind: BoxKind
  readonly egress: Egress
  readonly ledger: Ledger
  readonly traffic: Traffic
  readonly purse: Purse
  readonly patience: Patience
  readonly known: KnownSecrets
  readonly network: Network
  readonly prices: Prices
  readonly bodyMemory: BodyMemory
  /** The upstreams of this box by their names. */
  readonly routes: ReadonlyMap<string, Route>
}
