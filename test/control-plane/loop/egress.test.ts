import { describe, expect, it } from 'vitest'
import { egressOf } from '../../../control-plane/loop/egress.ts'
import type { BoxKind } from '../../../src/domain/box.ts'
import type { Policy } from '../../../src/domain/policy.ts'
import { registriesOf } from '../../../src/domain/registries.ts'
import { aPolicy } from '../../support/task.ts'

const registries = registriesOf([
  { what: 'npm registry', url: 'https://packages.test/npm/', variable: 'npm_config_registry' },
])
const named: Partial<Policy> = { egress: ['docs.test', '*.cdn.test:8443'], upstreams: ['anthropic'] }

describe('what a box may reach', () => {
  it.each<[BoxKind, Partial<Policy>, unknown]>([
    ['setup', named, { tunnels: [['packages.test', [443], true]], upstreams: [] }],
    [
      'agent',
      named,
      {
        tunnels: [
          ['docs.test', [443], false],
          ['*.cdn.test', [8443], false],
        ],
        upstreams: ['anthropic'],
      },
    ],
    ['agent', { upstreams: ['anthropic'] }, { tunnels: [], upstreams: ['anthropic'] }],
    ['agent', {}, null],
    ['baseline', named, null],
    ['test', named, null],
  ])('%s with %j', (kind, policy, expected) => {
    const egress = egressOf(kind, aPolicy(policy), registries)
    const seen = egress && {
      tunnels: egress.tunnels.map(({ host, ports, inside }) => [host, ports, inside]),
      upstreams: egress.upstreams,
    }
    expect(seen).toEqual(expected)
  })

  it('is limited as the policy says', () => {
    const limits = { ...aPolicy().limits, connections: 3, upMb: 1, downMb: 2 }
    expect(egressOf('agent', aPolicy({ ...named, limits }), null)?.limits).toEqual({
      connections: 3,
      upMb: 1,
      downMb: 2,
    })
  })
})
