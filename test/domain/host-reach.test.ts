import { expect, test } from 'vitest'
import { nameBarrier, type Reach, reachOf } from '../../src/domain/host-reach.ts'

test.each<[Reach, readonly string[]]>([
  // Addresses that look public and are in no range with a meaning of its own.
  [
    'public',
    ['1.1.1.1', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'],
  ],
  ['inside', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd12:3456::1', 'fc00::1']],
  ['inside', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1']],
  ['never', ['127.0.0.1', '127.255.255.255', '::1', '0.0.0.0', '0.1.2.3', '::']],
  ['never', ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fec0::1', 'fe80::1%eth0']],
  ['never', ['fd00:ec2::254', 'fd20:ce::254', '168.63.129.16', '192.0.0.192', '100.100.100.200']],
  ['never', ['100.64.0.1', '100.127.255.255', '224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255']],
  ['never', ['240.0.0.1', '192.0.0.1', '192.88.99.1', '198.18.0.1']],
  // One address inside another.
  [
    'never',
    ['::ffff:127.0.0.1', '::ffff:1.1.1.1', '::7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::1', '2001::1'],
  ],
  ['never', ['', 'x', '1', '127.1', '1.2.3', '0x7f.1']],
])('%s: %s', (reach, addresses) => {
  for (const address of addresses) expect([address, reachOf(address)]).toEqual([address, reach])
})

test('names of this machine and of metadata services', () => {
  for (const name of ['localhost', 'a.localhost', 'metadata.google.internal', 'host.docker.internal'])
    expect(nameBarrier(name)).not.toBeNull()
  for (const name of ['notlocalhost', 'localhost.test', 'metadata.test', 'google.internal'])
    expect(nameBarrier(name)).toBeNull()
})
