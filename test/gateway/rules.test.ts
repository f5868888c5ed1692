import { describe, expect, test } from 'vitest'
import type { TunnelRule } from '../../src/domain/egress.ts'
import { canonicalHost } from '../../src/gateway/host.ts'
import { isRefusal } from '../../src/gateway/refusal.ts'
import { decide } from '../../src/gateway/rules.ts'

const rule = (host: string, ...ports: readonly number[]): TunnelRule => ({
  host,
  ports: ports.length === 0 ? [443] : ports,
  inside: false,
  why: 'policy',
})
const rules = [rule('allowed.test'), rule('*.wide.test', 443, 8443), rule('192.0.2.7'), rule('[2001:db8::1]')]

function outcome(host: string, port: number, given: readonly TunnelRule[] = rules): string {
  const canonical = canonicalHost(host)
  if (canonical === null) return 'no host'
  const decided = decide({ host: canonical, port }, given)
  return isRefusal(decided) ? `${decided.verdict}: ${decided.rule}` : `by ${decided.host}`
}

test.each([
  ['allowed.test', 443, 'by allowed.test'],
  ['ALLOWED.TEST', 443, 'by allowed.test'],
  ['allowed.test.', 443, 'by allowed.test'],
  ['allowed.test', 22, 'denied: no rule'],
  ['allowed.test', 25, 'denied: no rule'],
  ['allowed.test', 2375, 'denied: no rule'],
  ['allowed.test', 80, 'denied: no rule'],
  ['evilallowed.test', 443, 'denied: no rule'],
  ['allowed.test.evil.test', 443, 'denied: no rule'],
  ['x.allowed.test', 443, 'denied: no rule'],
  ['аllowed.test', 443, 'denied: no rule'],
  ['a.wide.test', 443, 'by *.wide.test'],
  ['a.b.wide.test', 8443, 'by *.wide.test'],
  ['wide.test', 443, 'denied: no rule'],
  ['evilwide.test', 443, 'denied: no rule'],
  ['192.0.2.7', 443, 'by 192.0.2.7'],
  ['192.0.2.8', 443, 'denied: no rule'],
  ['[2001:db8:0::1]', 443, 'by [2001:db8::1]'],
  ['1.1.1.1', 443, 'denied: no rule'],
  ['127.0.0.1', 443, 'denied: always blocked'],
  ['localhost', 443, 'denied: always blocked'],
])('%s:%i is %s', (host, port, expected) => {
  expect(outcome(host, port)).toBe(expected)
})

describe('above every rule', () => {
  test.each([
    '127.0.0.1',
    '[::1]',
    'localhost',
    '169.254.169.254',
    'metadata.google.internal',
    '100.64.0.1',
    '0.0.0.0',
  ])('%s stays blocked where a rule names it', (host) => {
    expect(outcome(host, 443, [rule(host)])).toBe('denied: always blocked')
  })
})

describe('a rule that cannot be read lets nothing pass', () => {
  test.each([
    rule('*'),
    rule(''),
    rule('*.*.test'),
    rule('a*.test'),
    rule('ALLOWED.test'),
    rule('allowed.test.'),
    rule('*.192.0.2.7'),
    rule('*.[::1]'),
    rule('0x7f.1'),
    { ...rule('allowed.test'), ports: [] },
    { ...rule('allowed.test'), ports: [0] },
    { ...rule('allowed.test'), ports: [443.5] },
  ])('$host $ports', (broken) => {
    expect(outcome('allowed.test', 443, [rule('allowed.test'), broken])).toBe('denied: bad rule')
  })
})

test('no rules let nothing pass', () => {
  expect(outcome('allowed.test', 443, [])).toBe('denied: no rule')
})

test('a refusal says how to allow it', () => {
  expect(decide({ host: { kind: 'name', host: 'other.test' }, port: 443 }, rules)).toMatchObject({
    text: `other.test:443 is not reached: no rule of the policy names this host. To allow it: policy: { egress: ['other.test'] } in cofferdam.yaml.`,
  })
  expect(decide({ host: { kind: 'name', host: 'allowed.test' }, port: 8443 }, rules)).toMatchObject({
    text: `allowed.test:8443 is not reached: the policy names this host with other ports only. To allow it: policy: { egress: ['allowed.test:8443'] } in cofferdam.yaml.`,
  })
})
