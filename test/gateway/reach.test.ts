import { describe, expect, it } from 'vitest'
import { tunnelRule } from '../../src/domain/host-rule.ts'
import { until } from '../support/until.ts'
import { type LabOptions, openEcho, openFar, openLab, publicAddress, rule } from './lab.ts'

const tunnels = [rule('allowed.test')]
const leading = (addresses: readonly string[], some: LabOptions = {}) =>
  openLab({ tunnels, names: { 'allowed.test': addresses }, ...some })

describe('where an allowed name leads', () => {
  it.each<[string, readonly string[], string]>([
    ['this machine', ['127.0.0.1'], 'always blocked'],
    ['this machine by another address', ['127.8.8.8'], 'always blocked'],
    ['this machine, IPv6', ['::1'], 'always blocked'],
    ['any address', ['0.0.0.0'], 'always blocked'],
    ['metadata', ['169.254.169.254'], 'always blocked'],
    ['metadata, IPv6', ['fd00:ec2::254'], 'always blocked'],
    ['a carrier', ['100.64.0.1'], 'always blocked'],
    ['a link', ['fe80::1'], 'always blocked'],
    ['IPv4 in IPv6', ['::ffff:127.0.0.1'], 'always blocked'],
    ['IPv4 in NAT64', ['64:ff9b::7f00:1'], 'always blocked'],
    ['IPv4 in 6to4', ['2002:7f00:1::'], 'always blocked'],
    ['no address', ['not an address'], 'always blocked'],
    ['a short address', ['127.1'], 'always blocked'],
    ['a private network', ['10.0.0.5'], 'not public'],
    ['a private network, IPv6', ['fd12::1'], 'not public'],
    ['the documentation', ['203.0.113.9'], 'not public'],
    ['a public address, and a private one', [publicAddress, '10.0.0.5'], 'not public'],
    [
      'a private one behind many',
      [...Array.from({ length: 9 }, (_, n) => `93.184.216.${n + 1}`), '10.0.0.5'],
      'not public',
    ],
    ['a public address, and this machine', [publicAddress, '127.0.0.1'], 'always blocked'],
  ])('%s: denied before anything is dialled', async (_what, addresses, by) => {
    const { tunnel, last, story } = await leading(addresses)
    const { status, text } = await tunnel('allowed.test:443')
    expect([status, last()?.rule]).toEqual([403, by])
    expect(text).toContain('allowed.test leads to')
    expect(story).toEqual(['resolve allowed.test', `decided denied ${by}`])
  })

  it.each([
    ['10.0.0.5', '10.0.0.5:8443', '10.0.0.5:8443'],
    ['fd12::1', '[fd12::1]:8443', "'[fd12::1]:8443'"],
  ])('%s: what the refusal advises works', async (address, asked, granted) => {
    const far = await openEcho()
    const port = { ports: [8443] }
    const names = { 'allowed.test': [address] }
    const before = await openLab({ tunnels: [rule('allowed.test', port)], names })
    expect((await before.tunnel('allowed.test:8443')).text).toContain(
      `allowed.test leads to ${address}, which is no public address, and no name opens one. To reach it, have the agent ask for ${asked} in place of the name, and start a new task with --egress ${granted}.`,
    )
    const tunnels = [tunnelRule(granted.replaceAll("'", ''), 'policy')]
    const after = await openLab({ tunnels, names, far: far.port })
    expect((await after.tunnel(asked)).status).toBe(200)
  })

  it('an inside network is reached where a rule of the machine’s own says so, and this machine is not', async () => {
    const far = await openEcho()
    const inside = { tunnels: [rule('allowed.test', { inside: true })], far: far.port }
    expect((await (await leading(['10.0.0.5'], inside)).tunnel('allowed.test:443')).status).toBe(200)
    expect((await (await leading(['127.0.0.1'], inside)).tunnel('allowed.test:443')).status).toBe(403)
  })

  it.each<[string, LabOptions]>([
    ['a name that is not there', { names: {} }],
    ['a name without addresses', { names: { 'allowed.test': [] } }],
    [
      'a resolver that does not answer',
      { resolve: () => new Promise(() => undefined), limits: { resolveMs: 80 } },
    ],
    [
      'a resolver that throws',
      {
        resolve: () => {
          throw new Error('broken')
        },
      },
    ],
  ])('%s: failed, and nothing is dialled', async (_what, some) => {
    const { tunnel, last, story, passage } = await leading([publicAddress], some)
    expect((await tunnel('allowed.test:443')).status).toBe(502)
    expect(last()).toMatchObject({ verdict: 'failed', rule: 'not found' })
    expect(story.filter((each) => each.startsWith('dial'))).toEqual([])
    expect(passage.counts()).toMatchObject({ allowed: 0, denied: 0 })
  })
})

describe('what is dialled', () => {
  it('is what was looked at: a name is resolved once for each connection', async () => {
    const far = await openEcho()
    let asked = 0
    // A name that leads inside whenever it is asked for the second time.
    const resolve = (): Promise<readonly string[]> => {
      asked += 1
      return Promise.resolve([asked % 2 === 1 ? publicAddress : '127.0.0.1'])
    }
    const { tunnel, story } = await leading([], { resolve, far: far.port })
    expect((await tunnel('allowed.test:443')).status).toBe(200)
    expect((await tunnel('allowed.test:443')).status).toBe(403)
    expect(story).toEqual([
      'resolve allowed.test',
      'decided allowed allowed.test',
      `dial ${publicAddress}:443`,
      'resolve allowed.test',
      'decided denied always blocked',
    ])
  })

  it('is on record before it is dialled, each address anew, three at most', async () => {
    const addresses = ['93.184.216.1', '93.184.216.2', '93.184.216.3', '93.184.216.4']
    const { tunnel, story, decisions, last, passage } = await leading(addresses, { far: 1 })
    expect((await tunnel('allowed.test:443')).status).toBe(502)
    expect(story.slice(1)).toEqual([
      'decided allowed allowed.test',
      'dial 93.184.216.1:443',
      'decided allowed allowed.test',
      'dial 93.184.216.2:443',
      'decided allowed allowed.test',
      'dial 93.184.216.3:443',
      'ended failed not reached',
    ])
    expect(decisions.map(({ id, address }) => [id, address?.slice(-1)])).toEqual([
      [1, '1'],
      [1, '2'],
      [1, '3'],
      [1, '3'],
    ])
    expect(last()?.verdict).toBe('failed')
    expect(passage.counts()).toMatchObject({ denied: 0 })
  })

  it('is the next address where the first does not answer', async () => {
    const far = await openEcho()
    const { tunnel, decisions } = await leading(['93.184.216.1', '93.184.216.2'], {
      places: { '93.184.216.1': null },
      limits: { dialMs: 80 },
      far: far.port,
    })
    expect((await tunnel('allowed.test:443')).status).toBe(200)
    expect(decisions.at(-1)?.address).toBe('93.184.216.2')
  })

  it('is given up when the box goes', async () => {
    const { connect, decisions, passage } = await leading([publicAddress], {
      places: { [publicAddress]: null },
    })
    const wire = await connect()
    wire.send('CONNECT allowed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => decisions.length === 1)
    wire.socket.destroy()
    await until(() => decisions.length === 2)
    expect(decisions[1]).toMatchObject({ verdict: 'failed', bytesUp: 0 })
    await passage.close()
  })
})

describe('what cannot be recorded does not pass', () => {
  const broken = {
    decided: () => {
      throw new Error('the disk is full')
    },
  }

  it('a tunnel, a plain request and a call', async () => {
    const far = await openFar()
    const { tunnel, ask, story } = await leading([publicAddress], {
      tunnels: [rule('allowed.test', { ports: [80, 443] })],
      far: far.port,
      overseer: broken,
    })
    expect((await tunnel('allowed.test:443')).status).toBe(503)
    expect((await ask('GET', 'http://allowed.test/')).status).toBe(503)
    expect(story.filter((each) => each.startsWith('dial'))).toEqual([])
    expect(far.wires).toEqual([])
  })

  it('nor the second address, when the record breaks in between', async () => {
    let told = 0
    const decided = (): void => {
      told += 1
      if (told > 1) throw new Error('the disk is full')
    }
    const { tunnel, story } = await leading(['93.184.216.1', '93.184.216.2'], {
      far: 1,
      overseer: { decided },
    })
    expect((await tunnel('allowed.test:443')).status).toBe(503)
    expect(story.filter((each) => each.startsWith('dial'))).toEqual(['dial 93.184.216.1:443'])
  })
})
