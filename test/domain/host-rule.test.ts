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
  ['localhost', /this machine itself, and no rule opens that for a box: let the service listen on/],
  ['127.0.0.1:8080', /this machine itself/],
  ['0.0.0.0', /this machine itself/],
  ['[::1]', /this machine itself/],
  ['*.host.docker.internal:80', /this machine itself/],
  ['169.254.169.254', /links, where metadata services are/],
  ['metadata.google.internal', /what a cloud knows of this machine.*: leave it out/],
  ['300.1.1.1', /no address that every program reads alike.*: write all of it/],
  ['[8.8.8.8.8]', /no address that every program reads alike/],
  ['[::ffff:127.0.0.1]', /holds an IPv4 address.*: name the IPv4 address itself/],
  ['100.64.0.1', /carriers' range.*: name it by a public or a private address/],
  ['224.0.0.1', /no one machine but many.*: name one machine/],
  ['240.0.0.1', /given to nobody/],
  ['[8.8.8.8]', /is not one such as/],
  ['a.0x1f', /is not one such as/],
  ['xn--zzzzzz99999.test', /is not one such as/],
  ['*.192.0.2.7', /is not one such as/],
  ['*.[2001:db8::1]', /is not one such as/],
  ['[2001:0db8::1]:8443', /write "\[2001:db8::1\]:8443"/],
  ['example.com.', /write "example.com"/],
  ['*.bücher.test', /write "\*\.xn--bcher-kva\.test"/],
  ['API.example.com', /write "api.example.com"/],
  ['https://example.com', /is not one such as/],
  ['example.com/path', /is not one such as/],
  ['exa mple.com', /is not one such as/],
  ['a.*.example.com', /is not one such as/],
  ['com', /only one part/],
  ['*.com', /leaves too much open/],
  ['example.com:0', /has no port/],
  ['example.com:99999', /has no port/],
  ['1.2.3', /is not one such as/],
  [`${'a'.repeat(64)}.example.com`, /is not one such as/],
])('%j is refused: %s', (text, problem) => {
  expect(hostProblem(text)).toMatch(problem)
})
