import { createServer as createTls, connect as connectTls } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../support/until.ts'
import { helloBytes, type HelloOf, vector } from './hello.ts'
import { type LabOptions, openEcho, openFar, openLab, publicAddress, rule } from './lab.ts'

const names = {
  'allowed.test': [publicAddress],
  'other.test': [publicAddress],
  'a.wild.test': [publicAddress],
}
const tunnels = [rule('allowed.test', { ports: [443, 8443] }), rule('*.wild.test'), rule('192.0.2.7')]
const hello = (some: Partial<HelloOf> = {}): Buffer => helloBytes({ name: 'allowed.test', ...some })
const lab = (far: number, some: LabOptions = {}) => openLab({ names, tunnels, far, ...some })

describe('which tunnels open', () => {
  it.each([
    ['allowed.test:443', 200, 'allowed.test'],
    ['allowed.test:8443', 200, 'allowed.test'],
    ['ALLOWED.Test.:443', 200, 'allowed.test'],
    ['a.wild.test:443', 200, '*.wild.test'],
    ['192.0.2.7:443', 200, '192.0.2.7'],
    ['allowed.test:22', 403, 'no rule'],
    ['allowed.test:80', 403, 'no rule'],
    ['wild.test:443', 403, 'no rule'],
    ['other.test:443', 403, 'no rule'],
    ['192.0.2.8:443', 403, 'no rule'],
    [`${publicAddress}:443`, 403, 'no rule'],
    ['127.0.0.1:443', 403, 'always blocked'],
    ['localhost:443', 403, 'always blocked'],
    ['[::1]:443', 403, 'always blocked'],
    ['169.254.169.254:443', 403, 'always blocked'],
    ['0x7f.1:443', 403, 'unreadable'],
    ['2130706433:443', 403, 'unreadable'],
    ['[::ffff:127.0.0.1]:443', 403, 'unreadable'],
    ['allowed.test%00.evil.test:443', 403, 'unreadable'],
    ['user@allowed.test:443', 403, 'unreadable'],
    ['[allowed.test]:443', 403, 'unreadable'],
    ['allowed.test', 403, 'unreadable'],
    ['allowed.test:0', 403, 'unreadable'],
    ['allowed.test:65536', 403, 'unreadable'],
    ['allowed.test:443/path', 403, 'unreadable'],
  ])('%s: %i by %s', async (target, status, by) => {
    const far = await openEcho()
    const { tunnel, decisions, story } = await lab(far.port)
    const opened = await tunnel(target)
    expect([opened.status, decisions[0]?.rule]).toEqual([status, by])
    if (status !== 200) {
      expect([far.wires.length, story.filter((each) => !each.startsWith('decided'))]).toEqual([0, []])
      expect(opened.text).toContain(decisions[0]?.text)
    }
  })

  it('none where there are no rules, and none where one cannot be read', async () => {
    const far = await openEcho()
    for (const some of [[], [rule('allowed.test'), rule('not a host')]]) {
      const { tunnel, passage } = await lab(far.port, { tunnels: some })
      expect((await tunnel('allowed.test:443')).status).toBe(403)
      expect(passage.counts()).toMatchObject({ allowed: 0, denied: 1 })
    }
    expect(far.wires).toEqual([])
  })
})

describe('what a tunnel begins with', () => {
  it.each<[string, Buffer]>([
    ['the name', hello()],
    ['the name in capitals', hello({ name: 'Allowed.TEST' })],
    ['the name in three records', hello({ record: 30 })],
  ])('%s passes', async (_what, bytes) => {
    const far = await openEcho()
    const { tunnel } = await lab(far.port)
    const { wire } = await tunnel('allowed.test:443')
    wire.send(bytes)
    expect(await wire.until(bytes.toString('latin1'))).toBe(bytes.toString('latin1'))
  })

  it('passes byte by byte, and in one piece with what follows', async () => {
    const far = await openEcho()
    const { tunnel } = await lab(far.port)
    const slow = await tunnel('allowed.test:443')
    for (const byte of hello()) {
      slow.wire.send(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    slow.wire.send('and more')
    await slow.wire.until('and more')
    const quick = await tunnel('allowed.test:443')
    quick.wire.send(Buffer.concat([hello(), Buffer.from('and more')]))
    await quick.wire.until('and more')
    expect(far.wires.map(({ got }) => got)).toEqual([1, 2].map(() => `${hello().toString('latin1')}and more`))
  })

  it('passes where it came together with CONNECT', async () => {
    const far = await openEcho()
    const { connect } = await lab(far.port)
    const wire = await connect()
    wire.send(Buffer.concat([Buffer.from('CONNECT allowed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n'), hello()]))
    expect(await wire.until(hello().toString('latin1'))).toContain('200')
  })

  it.each<[string, Buffer]>([
    ['another name', hello({ name: 'other.test' })],
    ['a name that only begins so', hello({ name: 'allowed.test.evil.test' })],
    ['no name', hello({ name: null })],
    ['an encrypted hello', hello({ more: [[0xfe0d, Buffer.alloc(8)]] })],
    [
      'two names',
      helloBytes({
        name: null,
        more: [[0, vector(2, Buffer.concat(['allowed.test', 'other.test'].map(named)))]],
      }),
    ],
    ['the extension twice', hello({ more: [[0, vector(2, named('other.test'))]] })],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-client\r\n')],
    ['another record', Buffer.from([23, 3, 3, 0, 5, 1, 2, 3, 4, 5])],
    [
      'a hello without an end',
      Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 1, 0, 0]), Buffer.alloc(60_000)]),
    ],
    ['something after the hello in its record', withTail(hello())],
  ])('%s does not pass', async (_what, bytes) => {
    const far = await openFar()
    const { tunnel, passage, decisions, last } = await lab(far.port)
    const { wire, status } = await tunnel('allowed.test:443')
    expect(status).toBe(200)
    wire.send(bytes)
    expect(await wire.untilEnd()).toBe('')
    await until(() => far.wires[0]?.ended === true)
    expect(far.wires[0]?.got).toBe('')
    expect(last()).toEqual({
      kind: 'tunnel',
      host: 'allowed.test',
      port: 443,
      verdict: 'denied',
      rule: 'sni',
    })
    expect(decisions.map(({ id, verdict }) => [id, verdict])).toEqual([
      [1, 'allowed'],
      [1, 'denied'],
    ])
    expect(passage.counts()).toMatchObject({ allowed: 0, denied: 1, bytesUp: 0 })
  })

  it('is not awaited for ever, and not after the box has closed its half', async () => {
    const far = await openFar()
    const { tunnel, decisions } = await lab(far.port, { limits: { helloMs: 100 } })
    const silent = await tunnel('allowed.test:443')
    silent.wire.send(hello().subarray(0, 20))
    expect(await silent.wire.untilEnd()).toBe('')
    const closing = await tunnel('allowed.test:443')
    closing.wire.socket.end()
    await closing.wire.untilEnd()
    expect(decisions.filter(({ rule }) => rule === 'sni').map(({ text }) => text)).toEqual([
      expect.stringContaining('did not begin in time'),
      expect.stringContaining('ended before it began'),
    ])
    expect(far.wires.map(({ got }) => got)).toEqual(['', ''])
  })

  it('an address has no name to be asked for by, and may be asked for by itself alone', async () => {
    const far = await openEcho()
    const { tunnel } = await lab(far.port)
    const plain = await tunnel('192.0.2.7:443')
    plain.wire.send(hello({ name: null }))
    await plain.wire.until(hello({ name: null }).toString('latin1'))
    const named = await tunnel('192.0.2.7:443')
    named.wire.send(hello({ name: 'allowed.test' }))
    expect(await named.wire.untilEnd()).toBe('')
  })
})

describe('an open tunnel', () => {
  it('carries real TLS', async () => {
    const psk = Buffer.alloc(32, 1)
    const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
    const server = createTls({ ...common, pskCallback: () => psk }, (socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { tunnel } = await lab((server.address() as { port: number }).port)
    const { wire } = await tunnel('allowed.test:443')
    wire.socket.removeAllListeners('data')
    const secure = connectTls({
      ...common,
      socket: wire.socket,
      servername: 'allowed.test',
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'test' }),
    })
    secure.end('through and back')
    let got = ''
    for await (const chunk of secure) got += String(chunk)
    expect(got).toBe('through and back')
  })

  it('hands on a half that is closed, in each direction', async () => {
    const far = await openFar(({ socket }) => void socket.on('end', () => socket.end('all of it')))
    const { tunnel, decisions, last, passage } = await lab(far.port)
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello())
    wire.socket.end('question')
    expect(await wire.untilEnd()).toBe('all of it')
    await until(() => decisions.length === 2)
    const up = hello().length + 'question'.length
    expect(last()).toMatchObject({ verdict: 'allowed', rule: 'allowed.test' })
    expect(decisions.at(-1)).toMatchObject({ id: 1, bytesUp: up, bytesDown: 9, address: publicAddress })
    expect(passage.counts()).toMatchObject({ allowed: 1, denied: 0, bytesUp: up, bytesDown: 9 })
  })

  it('delivers all of a large answer to a box that reads slowly, after the other end has gone', async () => {
    const size = 6 * 1024 * 1024
    const far = await openFar(({ socket }) => void socket.once('data', () => socket.end(Buffer.alloc(size))))
    const { tunnel, decisions } = await lab(far.port)
    const { wire } = await tunnel('allowed.test:443')
    wire.socket.pause()
    wire.send(hello())
    await new Promise((resolve) => setTimeout(resolve, 200))
    wire.socket.resume()
    expect((await wire.untilEnd()).length).toBe(size)
    wire.socket.end()
    await until(() => decisions.at(-1)?.bytesDown === size)
  })

  it('delivers all that the box sent before it went', async () => {
    const size = 4 * 1024 * 1024
    const far = await openFar()
    const { tunnel } = await lab(far.port)
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello())
    wire.socket.end(Buffer.alloc(size))
    await until(() => far.wires[0]?.ended === true)
    expect(far.wires[0]?.got.length).toBe(hello().length + size)
  })

  it.each(['box', 'far'] as const)('ends on both sides when the %s breaks off', async (who) => {
    const far = await openFar()
    const { tunnel, decisions } = await lab(far.port)
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello())
    await until(() => far.wires[0]?.got !== '')
    const [breaking, other] = who === 'box' ? [wire, far.wires[0]] : [far.wires[0], wire]
    if (who === 'box') breaking?.socket.destroy()
    else breaking?.socket.resetAndDestroy()
    await until(() => other?.ended === true)
    other?.socket.end()
    await until(() => decisions.length === 2)
    expect(decisions.at(-1)).toMatchObject({ verdict: 'allowed', bytesUp: hello().length, bytesDown: 0 })
  })

  it('ends after a time without a byte', async () => {
    const far = await openFar()
    const { tunnel, decisions } = await lab(far.port, { limits: { idleMs: 100 } })
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello())
    expect(await wire.untilEnd()).toBe('')
    await until(() => far.wires[0]?.ended === true && decisions.length === 2)
  })

  it('holds back whoever sends faster than the other end reads', async () => {
    const far = await openFar(({ socket }) => void socket.pause())
    const { tunnel } = await lab(far.port, { boxLimits: { upMb: 1000 } })
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello())
    const chunk = Buffer.alloc(1024 * 1024)
    let taken = 0
    for (; taken < 64 && wire.socket.write(chunk); taken += 1) await new Promise(setImmediate)
    while (taken < 64) {
      const drained = new Promise<boolean>((resolve) => wire.socket.once('drain', () => resolve(true)))
      const waited = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200))
      if (!(await Promise.race([drained, waited]))) break
      wire.socket.write(chunk)
      taken += 1
    }
    expect(taken).toBeLessThan(32)
  })
})

function named(name: string): Buffer {
  return Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))])
}

function withTail(bytes: Buffer): Buffer {
  const longer = Buffer.concat([bytes, Buffer.from('tail')])
  longer.writeUInt16BE(longer.length - 5, 3)
  return longer
}
