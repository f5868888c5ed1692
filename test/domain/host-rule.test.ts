import { expect, it } from 'vitest'
import { hostProblem, tunnelRule } from '../../src/domain/host-rule.ts'

it.each<[string, string, number]>([
  ['api.example.com', 'api.example.com', 443],
  ['*.example.com', '*.example.com', 443],
  ['example.com:8443', 'example.com', 8443],
  ['192.0.2.7', '192.0.2.7', 443],
  ['192.0.2.7:80', '192.0.2.7', 80],
  ['[2001:db8::1]:8080', '[2001:db8::1]', 8080],
  ['*.test', '*.test', 443],
])('%s is a rule for %s on port %d', (text, host, port) => {
  expect(hostProblem(text)).toBeNull()
  expect(tunnelRule(text, 'policy')).toEqual({ host, ports: [port], inside: false, why: 'policy' })
})

it.each<[string, RegExp]>([
  ['', /is not one such as/],
  ['*', /is not one such as/],
  ['localhost', /is not one such as/],
  ['API.example.com', /in lower case/],
  ['https://example.com', /is not one such as/],
  ['example.com/path', /is not one such as/],
  ['exa mple.com', /is not one such as/],
  ['a.*.example.com', /is not one such as/],
  ['*.com', /leaves too much open/],
  ['example.com:0', /has no port/],
  ['example.com:99999', /has no port/],
  ['1.2.3', /ends in a number/],
  [`${'a'.repeat(64)}.example.com`, /is not one such as/],
])('%j is refused: %s', (text, problem) => {
  expect(hostProblem(text)).toMatch(problem)
})
