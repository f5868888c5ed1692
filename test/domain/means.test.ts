import { describe, expect, it } from 'vitest'
import { lacking, type Means } from '../../src/domain/means.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aPolicy } from '../support/task.ts'

const keyFrom = 'the environment variable MODEL_KEY'
const means: Means = {
  memoryMb: 4096,
  upstreams: {
    keyed: { origin: null, key: new Secret('keyed key', 'k'.repeat(20)), keyFrom },
    local: { origin: 'http://model.test:8080', key: null, keyFrom },
    keyless: { origin: null, key: null, keyFrom },
  },
}
const asking = (memoryMb: number, upstreams: readonly string[]) =>
  lacking(aPolicy({ upstreams, limits: { ...aPolicy().limits, memoryMb } }), means)

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
