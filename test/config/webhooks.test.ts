import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { usualNews } from '../../src/domain/outbox/news.ts'
import { secretOf } from '../support/receiver.ts'
import { around, scratch } from './support.ts'

function load(
  lines: readonly string[],
  env: Record<string, string> = { HOOK: secretOf(1), OLD: secretOf(2) },
) {
  const home = scratch()
  const text = ['webhooks:', '  ci:', ...lines.map((line) => `    ${line}`)].join('\n')
  writeFileSync(join(home, 'c.yaml'), `${text}\n`)
  writeFileSync(join(home, 'hook'), `${secretOf(3)}\n`)
  return loadConfig({ config: join(home, 'c.yaml') }, around(home, { env }))
}
const url = 'url: https://hooks.example.com/x'
const secret = 'secret: { env: HOOK }'

describe('a webhook', () => {
  it('has a name, an address and a secret, and a default for the rest', () => {
    const { webhooks, secrets } = load([url, secret])
    expect(webhooks).toMatchObject([
      { name: 'ci', url: 'https://hooks.example.com/x', network: 'public', events: usualNews },
    ])
    expect(webhooks[0]?.secrets.map((each) => each.reveal())).toEqual([secretOf(1)])
    // What boxes print is looked through for it too.
    expect(secrets.map((each) => each.reveal())).toEqual([secretOf(1)])
    expect(JSON.stringify(webhooks)).not.toContain(secretOf(1).slice(6))
  })

  it('may have two secrets, a choice of events, and a file in the place of a variable', () => {
    const { webhooks } = load([
      url,
      'secret: { file: hook }',
      'previous: { env: OLD }',
      'events: [task.draft]',
    ])
    expect(webhooks[0]?.secrets.map((each) => each.reveal())).toEqual([secretOf(3), secretOf(2)])
    expect(webhooks[0]?.events).toEqual(['task.draft'])
  })

  it('has none where the variable is not set: other commands do not need it', () => {
    expect(load([url, secret], {}).webhooks).toMatchObject([
      { secrets: [], secretFrom: 'the environment variable HOOK' },
    ])
  })

  it.each([
    ['http://127.0.0.1:8080/x', 'loopback'],
    ['https://localhost/x', 'loopback'],
    ['https://10.0.0.7/x', 'private'],
  ])('may lead to %s where the network is %s', (address, network) => {
    expect(load([`url: ${address}`, secret, `network: ${network}`]).webhooks).toMatchObject([{ network }])
  })

  it.each<[string, readonly string[], RegExp]>([
    ['no TLS', ['url: http://hooks.example.com/', secret], /has to begin with https:/],
    ['no TLS inside', ['url: http://10.0.0.1/', secret, 'network: private'], /has to begin with https:/],
    [
      'this machine',
      ['url: https://localhost/', secret],
      /which is this machine itself: name another, or say "network: loopback"/,
    ],
    ['a password', ['url: https://u:p@hooks.example.com/', secret], /must not hold a user or a password/],
    ['a part behind "#"', ['url: https://hooks.example.com/#x', secret], /must not hold a "#"/],
    ['no address', ['url: hooks', secret], /has an address such as https:/],
    ['no secret', [url], /secret/],
    ['another event', [url, secret, 'events: [task.done]'], /is one of task\.draft, /],
    ['no event', [url, secret, 'events: []'], /name some, or remove the key/],
    ['another network', [url, secret, 'network: all'], /is one of public, private, loopback/],
  ])('is refused with %s', (_name, lines, text) => {
    expect(() => load(lines)).toThrow(text)
  })

  it.each([
    ['no prefix', Buffer.alloc(32, 1).toString('base64')],
    ['no base64', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'],
    ['too few bytes', `whsec_${Buffer.alloc(23, 1).toString('base64')}`],
    ['too many bytes', `whsec_${Buffer.alloc(65, 1).toString('base64')}`],
  ])('is refused where its secret has %s, which is not shown', (_name, value) => {
    const act = (): unknown => load([url, secret], { HOOK: value })
    expect(act).toThrow(/webhook ci: Its secret in the environment variable HOOK has to be whsec_/)
    expect(act).not.toThrow(value)
  })
})
