import { describe, expect, it } from 'vitest'
import { costNotes, lacking, type Means } from '../../src/domain/means.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aBudget, aPolicy } from '../support/task.ts'

const keyFrom = 'the environment variable MODEL_KEY'
const means: Means = {
  memoryMb: 4096,
  upstreams: {
    keyed: { origin: null, key: new Secret('keyed key', 'k'.repeat(20)), keyFrom },
    local: { origin: 'http://model.test:8080', key: null, keyFrom },
    keyless: { origin: null, key: null, keyFrom },
  },
  pricesAsOf: null,
}
const asking = (memoryMb: number, upstreams: readonly string[], models: readonly string[] = []) =>
  lacking(aPolicy({ upstreams, limits: { ...aPolicy().limits, memoryMb } }), models, means)

describe('what a policy asks for and an installation lacks', () => {
  it.each<[number, readonly string[]]>([
    [4096, []],
    [64, ['keyed', 'local']],
  ])('is nothing for %d MiB and %j', (memoryMb, upstreams) => {
    expect(asking(memoryMb, upstreams)).toEqual([])
  })

  it('is each thing in a sentence that says what to do', () => {
    expect(asking(4097, ['keyless', 'other'])).toEqual([
      'A box of this task may use 4097 MiB, and all boxes together get 4096 MiB here: lower the limit memoryMb of its policy, or raise total.memoryMb in cofferdam.yaml.',
      'The upstream keyless has no key: put one into the environment variable MODEL_KEY, or name another place as upstreams.keyless.key in cofferdam.yaml.',
      'There is no upstream "other": choose of keyed, local, keyless.',
    ])
  })
})

it.each([
  [null, null, []],
  [null, '2026-01-31', []],
  [5, '2026-01-31', ['Its cost is counted with the prices of 2026-01-31, as cofferdam.yaml has them.']],
  [
    5,
    null,
    [
      'It has a limit on cost, and no prices are configured: no call of a model will pass. Name them as prices in cofferdam.yaml.',
    ],
  ],
])('a limit of %j on cost with prices of %j says what it is worth', (costUsd, pricesAsOf, said) => {
  expect(costNotes(aBudget({ costUsd }), { ...means, pricesAsOf })).toEqual(said)
})

it('a limit on cost says where its prices are from, where nobody configured any', () => {
  const shipped = { ...means, pricesAsOf: '2026-01-31', pricesAreShipped: true }
  expect(costNotes(aBudget({ costUsd: 5 }), shipped)).toEqual([
    "Its cost is counted with the list prices of 2026-01-31, which came with Cofferdam: name today's as prices in cofferdam.yaml.",
  ])
  expect(costNotes(aBudget({ costUsd: null }), shipped)).toEqual([])
})
