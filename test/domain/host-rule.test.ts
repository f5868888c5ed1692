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
  ['localhost', /no rule opens it/],
  ['127.0.0.1:8080', /no rule opens it/],
  ['0.0.0.0', /no rule opens it/],
  ['169.254.169.254', /no rule opens it/],
  ['300.1.1.1', /no rule opens it/],
  ['[::1]', /no rule opens it/],
  ['[::ffff:127.0.0.1]', /no rule opens it/],
  ['metadata.google.internal', /no rule opens it/],
  ['*.host.docker.internal:80', /no rule opens it/],
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
