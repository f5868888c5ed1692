import { describe, expect, it } from 'vitest'
import type { BoxKind } from '../../src/domain/box.ts'
import type { Egress } from '../../src/domain/egress.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { boxName, readBoxName } from '../../src/domain/box-name.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { anEgress, aRequest, type Overrides } from '../support/box.ts'
import { aPolicy } from '../support/task.ts'

const listing: Listing = {
  hidden: ['config/config.yaml', 'old/.env'],
  folders: ['.github', '.github/workflows', 'config', 'src', 'src/lib'],
  matches: [
    { path: '.github/workflows', type: 'folder', kind: 'readonly', rule: '.github/workflows' },
    { path: 'AGENTS.md', type: 'file', kind: 'readonly', rule: 'AGENTS.md' },
    { path: 'src/lib/config.yaml', type: 'file', kind: 'deny', rule: 'config.yaml' },
  ],
}

const registries: Egress = {
  ...anEgress,
  tunnels: [{ host: 'registry.test', ports: [443], inside: true, why: 'npm registry' }],
}

describe('the box spec is exactly this for', () => {
  it.each<[string, Overrides]>([
    ['agent', { argv: ['sh', '-c', 'true'], env: { MODEL: 'x' }, policy: defaultPolicy, listing }],
    ['agent-allow', { policy: aPolicy({ allow: ['src/', '/docs/**', 'README.md'] }), listing }],
    [
      'agent-after-setup',
      { setupFolders: ['node_modules', 'packages/a/node_modules'], policy: aPolicy({ deny: [] }) },
    ],
    ['agent-egress', { egress: anEgress, caches: ['npm', 'pip'], env: { NO_PROXY: 'mine' } }],
    [
      'setup',
      {
        kind: 'setup',
        step: 0,
        argv: ['sh', '-c', 'npm ci'],
        seconds: 600,
        caches: ['npm', 'pip'],
        egress: registries,
      },
    ],
    ['baseline', { kind: 'baseline', step: 0, argv: ['sh', '-c', 'npm test'] }],
    ['test', { kind: 'test', argv: ['sh', '-c', 'npm test'], caches: ['npm', 'pip'] }],
  ])('%s', async (name, overrides) => {
    const spec = compileBox(aRequest(overrides))
    await expect(`${JSON.stringify(spec, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.txt`)
  })
})

describe('a box spec', () => {
  it('is for an ordinary user alone', () => {
    expect(() => compileBox(aRequest({ user: { uid: 0, gid: 0 } }))).toThrow('never runs as root')
  })

  it('has a name that says whose it is', () => {
    expect(boxName(aRequest({ installation: 'abc', step: 2, attempt: 3, fence: 4 }))).toBe(
      'cofferdam-abc-aaaaaaaaaa-s2-a3-agent-f4',
    )
    for (const installation of ['', 'A', 'a-b', 'x'.repeat(13)])
      expect(() => boxName(aRequest({ installation }))).toThrow('installation')
  })

  it.each([
    [boxName(aRequest({ step: 2, attempt: 13 })), { task: 'aaaaaaaaaa', step: 2, attempt: 13 }],
    ['cofferdam-abc-aaaaaaaaaa', null],
    ['somebody-abc-aaaaaaaaaa-s2-a3-agent-f4', null],
  ])('whose name is %s is one of %j', (name, whose) => {
    expect(readBoxName(name)).toEqual(whose)
  })

  it('has a hash that knows every difference and no order of keys', () => {
    const spec = compileBox(aRequest())
    const turned = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec
    expect(specHash(turned)).toBe(specHash(spec))
    expect(specHash(spec)).toMatch(/^[0-9a-f]{64}$/)
    expect(specHash(compileBox(aRequest({ seconds: 61 })))).not.toBe(specHash(spec))
    expect(specHash({ ...spec, mounts: spec.mounts.toReversed() })).not.toBe(specHash(spec))
  })

  it.each(['baseline', 'test'] as const)('of kind %s never has an egress, nor a cache', (kind) => {
    const { egress, mounts } = compileBox(aRequest({ kind }))
    expect([egress, mounts.map(({ source }) => source.kind)]).toEqual([null, ['tree']])
  })

  it('has a channel where it has an egress, readonly and last, and no network card in any case', () => {
    const mounts = compileBox(aRequest({ egress: anEgress })).mounts
    expect(mounts.at(-1)).toEqual({
      source: { kind: 'channel' },
      target: '/cofferdam/channel',
      readonly: true,
      why: 'gateway',
    })
    expect(compileBox(aRequest()).mounts.filter(({ source }) => source.kind === 'channel')).toEqual([])
  })

  it('lets package managers use the network where a registry may be reached, and not try elsewhere', () => {
    const offline = 'npm_config_offline'
    expect(compileBox(aRequest({ kind: 'setup', egress: registries })).env).not.toHaveProperty(offline)
    for (const [kind, egress] of [
      ['setup', null],
      ['agent', null],
      ['agent', anEgress],
      ['test', null],
      ['baseline', null],
    ] as const)
      expect(compileBox(aRequest({ kind, egress })).env).toHaveProperty(offline, 'true')
  })

  it('names its proxy where it has one, and what the request says is stronger', () => {
    const { env } = compileBox(aRequest({ egress: anEgress, env: { https_proxy: 'mine' } }))
    expect(env).toMatchObject({ HTTPS_PROXY: 'http://127.0.0.1:3128', https_proxy: 'mine' })
    expect(Object.keys(compileBox(aRequest()).env).filter((name) => /proxy/i.test(name))).toEqual([])
  })

  it('points package managers at the caches of a setup box alone', () => {
    const pointed = (kind: BoxKind): unknown => {
      const { env } = compileBox(aRequest({ kind, caches: ['npm', 'pip'] }))
      return [env['npm_config_cache'], env['PIP_CACHE_DIR']]
    }
    expect(pointed('setup')).toEqual(['/cofferdam/cache/npm', '/cofferdam/cache/pip'])
    for (const kind of ['agent', 'test', 'baseline'] as const)
      expect(pointed(kind)).toEqual([undefined, undefined])
  })

  it('A054 fills caches in a setup box alone', () => {
    const caches = (kind: BoxKind): unknown =>
      compileBox(aRequest({ kind, caches: ['npm'] }))
        .mounts.filter(({ source }) => source.kind === 'cache')
        .map(({ source, target, readonly }) => ({ source, target, readonly }))
    const cache = { kind: 'cache', name: 'npm' }
    const target = '/cofferdam/cache/npm'
    expect(caches('setup')).toEqual([{ source: { ...cache, writes: 'keep' }, target, readonly: false }])
    for (const kind of ['agent', 'test', 'baseline'] as const)
      expect(caches(kind)).toEqual([{ source: { ...cache, writes: 'none' }, target, readonly: true }])
    expect(() => compileBox(aRequest({ caches: ['../npm'] }))).toThrow('cache')
  })
})
