import type { BoxKind } from '../../src/domain/box.ts'
import type { Egress } from '../../src/domain/egress.ts'
import { tunnelRule } from '../../src/domain/host-rule.ts'
import type { Policy } from '../../src/domain/policy.ts'
import type { Registries } from '../../src/domain/registries.ts'

/**
 * What a box may reach; null where it gets no channel at all. A setup box always has one, also where the machine names no
 * registry, so that what it asks for is on record; it reaches registries and no model. An agent's box has one where the
 * agent has a model (`model` is its upstream) or the policy names something, all others never. Pure.
 */
export function egressOf(
  kind: BoxKind,
  policy: Policy,
  registries: Registries | null,
  model: string | null = null,
): Egress | null {
  const { connections, upMb, downMb } = policy.limits
  const limits = { connections, upMb, downMb }
  switch (kind) {
    case 'setup':
      return { tunnels: registries?.tunnels ?? [], upstreams: [], limits }
    case 'agent': {
      const tunnels = policy.egress.map((host) => tunnelRule(host, 'policy'))
      const upstreams = [...new Set([...policy.upstreams, ...(model === null ? [] : [model])])]
      return tunnels.length + upstreams.length === 0 ? null : { tunnels, upstreams, limits }
    }
    case 'baseline':
    case 'test':
      return null
  }
}
