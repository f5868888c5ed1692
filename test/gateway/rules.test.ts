import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BoxKind } from '../../src/domain/box.ts'
import type { TunnelRule } from '../../src/domain/egress.ts'
import { hostProblem, tunnelRule } from '../../src/domain/host-rule.ts'
import { canonicalHost } from '../../src/domain/host.ts'
import { newTaskReaching } from '../../src/gateway/next-step.ts'
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
  const decided = decide({ host: canonical, port }, given, 'agent')
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

test('a host that a policy may name is never a bad rule', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'a',
      'test',
      'A',
      'xn--',
      'xn--bcher-kva',
      'ü',
      '0x1f',
      '0x',
      '7',
      '0177',
      '-',
      'a_b',
      '',
    ),
    fc.stringMatching(/^[a-z0-9-]{1,4}$/),
  )
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
  const inner = fc.oneof(
    fc.ipV6(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.constantFrom('2001:0db8::1', '2001:DB8::1'),
  )
  const any = fc.oneof(
    name,
    inner,
    inner.map((address) => `[${address}]`),
    fc.domain(),
    fc.string(),
  )
  let named = 0
  fc.assert(
    fc.property(fc.constantFrom('', '*.'), any, fc.constantFrom('', ':8443', ':0'), (star, host, port) => {
      const text = `${star}${host}${port}`
      if (hostProblem(text) !== null) return
      named += 1
      expect(outcome('allowed.test', 443, [rule('allowed.test'), tunnelRule(text, 'policy')])).toBe(
        'by allowed.test',
      )
    }),
    { numRuns: 3000 },
  )
  expect(named).toBeGreaterThan(300)
})

test('no rules let nothing pass', () => {
  expect(outcome('allowed.test', 443, [])).toBe('denied: no rule')
})

describe('a refusal says what to do', () => {
  const registries = rules.map((each) => ({ ...each, why: 'npm registry' }))
  const setup =
    "A setup box reaches only what this machine's npm, pip and apt are set to: name it there (`npm config set registry`, " +
    '`pip config set global.index-url`), end a `cofferdam serve` that runs and start it again, then start a new task.'

  test.each<[string, number, BoxKind, string]>([
    [
      'other.test',
      443,
      'agent',
      'no rule names this host. To allow it, start a new task with --egress other.test.',
    ],
    [
      'allowed.test',
      8443,
      'agent',
      'this host is named with other ports only. To allow it, start a new task with --egress allowed.test:8443.',
    ],
    [
      '[2001:db8::2]',
      8443,
      'agent',
      "no rule names this host. To allow it, start a new task with --egress '[2001:db8::2]:8443'.",
    ],
    ['other.test', 443, 'setup', `no rule names this host. ${setup}`],
  ])('%s:%i of the box %s', (host, port, kind, said) => {
    const asked = canonicalHost(host)
    if (asked === null) throw new Error(host)
    expect(decide({ host: asked, port }, registries, kind)).toMatchObject({
      text: `${host}:${port} is not reached: ${said}`,
    })
  })

  test('a rule that cannot be read says whose it is', () => {
    const asked = { host: { kind: 'name', host: 'allowed.test' }, port: 443 } as const
    expect(decide(asked, [{ ...rule('a_b.test'), why: 'npm registry' }], 'setup')).toMatchObject({
      text: 'Nothing passes, because the rule "a_b.test" (npm registry) cannot be read: name the host otherwise there.',
    })
  })

  // The advice is of use only where what it says is taken.
  test.each(['other.test', 'allowed.test:8443', '10.0.0.5:8443', '[fd12::1]:8443', '[fd12::1]'])(
    '--egress %s is taken, and lets exactly that pass',
    (named) => {
      expect(hostProblem(named)).toBeNull()
      const given = tunnelRule(named, 'policy')
      const host = canonicalHost(given.host)
      if (host === null) throw new Error(named)
      const target = { host, port: given.ports[0] ?? 0 }
      expect(newTaskReaching(target).replaceAll("'", '')).toBe(`start a new task with --egress ${named}`)
      expect(decide(target, [given], 'agent')).toBe(given)
    },
  )
})
