import { expect, it } from 'vitest'
import { type HttpSettings, listenRefusal, usualRates } from '../../src/domain/listen.ts'

const settings: HttpSettings = {
  address: '0.0.0.0',
  port: 7878,
  hosts: [],
  tls: null,
  proxyTls: false,
  perMinute: usualRates,
}
const tls = { cert: '/c', key: '/k' }

it.each<[string, Partial<HttpSettings>, number, RegExp | null]>([
  ['this machine alone', { address: '127.0.0.1' }, 0, null],
  ['this machine alone, in IPv6', { address: '::1' }, 0, null],
  ['all, with neither token nor TLS', {}, 0, /there is no token/],
  ['all, with TLS and no token', { tls }, 0, /there is no token/],
  ['all, with a token and no TLS', {}, 1, /unencrypted/],
  ['all, with a token and TLS', { tls }, 1, null],
  ['all, with a token and a proxy', { proxyTls: true }, 1, null],
  ['all, in IPv6', { address: '::' }, 1, /unencrypted/],
  ['an address of the network', { address: '192.0.2.7' }, 1, /unencrypted/],
])('listens for %s', (_name, change, tokens, refusal) => {
  const told = listenRefusal({ ...settings, ...change }, tokens)
  expect(told).toEqual(refusal === null ? null : expect.stringMatching(refusal))
})
