import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pricesOf, secretsOf, upstreamsOf } from '../../src/config/providers.ts'
import type { Environment } from '../../src/config/environment.ts'
import { priceOf } from '../../src/gateway/prices.ts'
import { configSchema } from '../../src/config/schema.ts'
import { around, scratch } from './support.ts'

const key = 'sk-0123456789abcdef'
const path = '/etc/cofferdam.yaml'
const upstreams = (given: object, env: Environment['env'] = {}) =>
  upstreamsOf(configSchema.parse({ upstreams: given }), path, around('/home/ada', { env }))

describe('upstreams', () => {
  it('are there without a word of configuration, with the key where the provider’s own programs have it', () => {
    const { anthropic } = upstreams({}, { ANTHROPIC_API_KEY: key })
    expect(anthropic?.key?.reveal()).toBe(key)
    expect(anthropic).toMatchObject({ origin: null, keyFrom: 'the environment variable ANTHROPIC_API_KEY' })
  })

  it('have no key where there is none, and say where it would be', () => {
    expect(upstreams({ anthropic: { key: { env: 'MY_KEY' } } })).toEqual({
      anthropic: { origin: null, key: null, keyFrom: 'the environment variable MY_KEY' },
      openai: { origin: null, key: null, keyFrom: 'the environment variable OPENAI_API_KEY' },
      gemini: { origin: null, key: null, keyFrom: 'the environment variable GEMINI_API_KEY' },
    })
  })

  it('may be elsewhere, with a key from elsewhere', () => {
    const { anthropic } = upstreams(
      { anthropic: { key: { env: 'MY_KEY' }, origin: 'http://models.example:8080' } },
      { MY_KEY: key, ANTHROPIC_API_KEY: 'another-key-that-is-not-used' },
    )
    expect([anthropic?.origin, anthropic?.key?.reveal()]).toEqual(['http://models.example:8080', key])
  })

  it('that nobody has an adapter for are refused, with those there are', () => {
    expect(() => upstreams({ other: {} })).toThrow(
      /There is no upstream other: choose of anthropic, openai, gemini, openai-compatible/,
    )
  })
})

describe('a model server of one’s own', () => {
  const own = (given: object) => upstreams({ 'openai-compatible': given })['openai-compatible']

  it('is there where it is said where, and needs no key', () => {
    expect(Object.keys(upstreams({}))).not.toContain('openai-compatible')
    expect(own({ origin: 'http://127.0.0.1:11434/v1' })).toEqual({
      origin: 'http://127.0.0.1:11434/v1',
      key: null,
      keyFrom: 'the environment variable OPENAI_COMPATIBLE_API_KEY',
    })
  })

  it.each([
    'http://localhost:1',
    'http://[::1]:1',
    'http://127.9.0.1',
    'https://models.example',
    'https://10.0.0.7:8443',
  ])('may be %s', (origin) => {
    expect(own({ origin })?.origin).toBe(origin)
  })

  it.each([
    'http://10.0.0.7:8080',
    'http://models.example',
    'http://localhost.example',
    'http://127.0.0.1.example',
  ])('is not %s, unless plain HTTP is allowed', (origin) => {
    expect(() => own({ origin })).toThrow(/could be read on the way: use https, or set .*plainHttp to true/)
    expect(own({ origin, plainHttp: true })?.origin).toBe(origin)
  })

  it('is refused without an address', () => {
    expect(() => own({})).toThrow(/name its address as upstreams.openai-compatible.origin/)
  })
})

describe('what is looked for in what boxes send and print', () => {
  it('is every key and every secret that is there', () => {
    const home = scratch()
    writeFileSync(join(home, 'token.txt'), 'tok-9f8e7d6c5b4a\n')
    const file = configSchema.parse({
      secrets: { deploy: { file: 'token.txt' }, missing: { env: 'NOT_SET' } },
    })
    const surroundings = around(home, { env: { ANTHROPIC_API_KEY: key } })
    const config = join(home, 'cofferdam.yaml')
    const found = secretsOf(file, upstreamsOf(file, config, surroundings), config, surroundings)
    expect(found.map((secret) => [secret.name, secret.reveal()])).toEqual([
      ['anthropic key', key],
      ['deploy', 'tok-9f8e7d6c5b4a'],
    ])
  })
})

describe('prices', () => {
  const prices = (given?: object) => pricesOf(configSchema.parse({ prices: given }).prices)

  it('are those of the lists of a day, where nobody said any', () => {
    const { asOf, isShipped, models } = prices()
    expect([asOf, isShipped]).toEqual([expect.stringMatching(/^20\d\d-\d\d-\d\d$/), true])
    const of = (model: string) => priceOf(model, models)
    expect(of('claude-sonnet-4-5-20250929')).toEqual({
      input: 3,
      output: 15,
      cacheRead: 0.3,
      cacheWrite: 3.75,
      maxOutput: 64_000,
    })
    expect([of('gpt-5')?.input, of('gpt-5-2025-08-07')?.output, of('gemini-2.5-pro')?.output]).toEqual([
      1.25, 10, 10,
    ])
    // It costs ten times as much, and nobody said so.
    expect([of('gpt-5-pro'), of('gpt-5.2-pro'), of('m-1')]).toEqual([null, null, null])
    for (const { input, output, cacheRead, cacheWrite } of Object.values(models)) {
      expect(output).toBeGreaterThan(input)
      expect(cacheRead).toBeLessThan(input)
      expect(cacheWrite).toBeGreaterThanOrEqual(input)
    }
  })

  it('of one’s own stand alone', () => {
    const own = prices({ asOf: '2026-01-31', models: { 'gpt-*': { input: 9, output: 9 } } })
    expect([Object.keys(own.models), own.isShipped]).toEqual([['gpt-*'], false])
  })

  it('of the cache are not below what providers take, where they are not named', () => {
    expect(
      prices({
        asOf: '2026-01-31',
        models: {
          'a-*': { input: 3, output: 15 },
          b: { input: 3, output: 15, cacheRead: 0, cacheWrite: 3.75, maxOutput: 64_000 },
        },
      }),
    ).toEqual({
      asOf: '2026-01-31',
      isShipped: false,
      models: {
        'a-*': { input: 3, output: 15, cacheRead: 3, cacheWrite: 3.75 },
        b: { input: 3, output: 15, cacheRead: 0, cacheWrite: 3.75, maxOutput: 64_000 },
      },
    })
  })
})
