import type { BoxKind } from '../../src/domain/box.ts'
import type { Egress } from '../../src/domain/egress.ts'
import { tunnelRule } from '../../src/domain/host-rule.ts'
import type { Policy } from '../../src/domain/policy.ts'
import type { Registries } from '../../src/domain/registries.ts'

/**
 * What a box may reach; null where that is nothing, for then it has no channel either. A setup box reaches the package
 * registries and no model, an agent's box what the policy names, all others nothing. Pure.
 */
export function egressOf(kind: BoxKind, policy: Policy, registries: Registries | null): Egress | null {
  const { connections, upMb, downMb } = policy.limits
  const limits = { connections, upMb, downMb }
  switch (kind) {
    case 'setup':
      return { tunnels: registries?.tunnels ?? [], upstreams: [], limits }
    case 'agent': {
      const tunnels = policy.egress.map((host) => tunnelRule(host, 'policy'))
      const { upstreams } = policy
      return tunnels.length + upstreams.length === 0 ? null : { tunnels, upstreams, limits }
    }
    case 'baseline':
    case 'test':
      return null
  }
}
