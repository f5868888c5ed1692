import type { Millis } from '../domain/brand.ts'
import type { Egress } from '../domain/egress.ts'
import { Failure } from '../domain/failure.ts'
import type { Gateway } from '../domain/gateway.ts'
import { KnownSecrets } from '../domain/leak.ts'
import type { RevealedSecret } from '../domain/leak-patterns.ts'
import type { Prices } from '../domain/upstream.ts'
import { BodyMemory } from './body-memory.ts'
import { Ledger } from './ledger.ts'
import { defaultLimits, type GatewayLimits } from './limits.ts'
import { type Dial, dialTcp, type Resolve, resolveByMachine } from './network.ts'
import { BoxPassage } from './passage.ts'
import { Patience } from './patience.ts'
import { Purse } from './purse.ts'
import type { Network } from './reach.ts'
import { Route } from './route.ts'
import type { BoxContext } from './box-context.ts'
import { Traffic } from './traffic.ts'
import type { Upstream } from './upstreams/upstream.ts'

export interface GatewayOptions {
  /** What boxes may reach by name; a box's spec says which of them. */
  readonly upstreams: readonly Upstream[]
  /** Secrets that nothing may carry; the upstreams' credentials are among them by themselves. */
  readonly secrets: readonly RevealedSecret[]
  readonly prices: Prices
  readonly clock: () => Millis
  /** The machine's own, where nothing else is given. */
  readonly resolve?: Resolve
  readonly dial?: Dial
  readonly limits?: Partial<GatewayLimits>
}

/** Throws `Failure('bad_config')` where two upstreams have one name, or an origin is none. */
export function createGateway(options: GatewayOptions): Gateway {
  const { upstreams, clock, prices, resolve = resolveByMachine, dial = dialTcp } = options
  const limits = { ...defaultLimits, ...options.limits }
  const network: Network = { resolve, dial, limits }
  const bodyMemory = new BodyMemory(limits.heldBodyBytes)
  const known = new KnownSecrets([...options.secrets, ...upstreams.flatMap(credentialOf)])
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]))
  if (byName.size < upstreams.length) throw new Failure('bad_config', 'Two upstreams have the same name.')
  // Shared by all boxes, so that a step does not begin with a new handshake.
  const routes = new Map([...byName].map(([name, upstream]) => [name, new Route(upstream, network)]))
  const passages = new Map<string, BoxPassage>()

  return {
    open(box, overseer) {
      void passages.get(box.name)?.close()
      const ledger = new Ledger(overseer, clock, (text) => known.redact(text))
      const egress = box.egress ?? nothing
      const context: BoxContext = {
        kind: box.kind,
        egress,
        ledger,
        traffic: new Traffic(egress.limits, ledger),
        purse: new Purse(ledger),
        patience: new Patience((unavailable) => ledger.unavailable(unavailable)),
        known,
        network,
        prices,
        bodyMemory,
        routes: new Map([...routes].filter(([name]) => egress.upstreams.includes(name))),
      }
      const passage = new BoxPassage(context, () => {
        if (passages.get(box.name) === passage) passages.delete(box.name)
      })
      passages.set(box.name, passage)
      return passage
    },
  }
}

const nothing: Egress = { tunnels: [], upstreams: [], limits: { connections: 16, upMb: 1, downMb: 1 } }

/** Without the word before it, which is no secret. */
function credentialOf({ name, credential }: Upstream): readonly RevealedSecret[] {
  if (credential === null) return []
  return [{ name: `${name} credential`, value: credential.value.replace(/^Bearer /, '') }]
}
