import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { helloBytes } from './hello.ts'
import { type Lab, type LabOptions, openFar, openLab, openWeb, publicAddress, replyOf, rule } from './lab.ts'

const mib = 1024 * 1024
const hello = helloBytes({ name: 'allowed.test' })
const get = 'GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n'
const lab = (far: number, some: LabOptions = {}): Promise<Lab> =>
  openLab({
    names: { 'allowed.test': [publicAddress] },
    tunnels: [rule('allowed.test', { ports: [80, 443] })],
    far,
    ...some,
  })

describe('bytes of a box', () => {
  it('end a tunnel that sends more, and then nothing opens any more', async () => {
    const far = await openFar()
    const { tunnel, ask, last, passage, decisions } = await lab(far.port, { boxLimits: { upMb: 1 } })
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello)
    for (let sent = 0; sent < 8 && !wire.ended; sent += 1) {
      wire.send(Buffer.alloc(mib / 2))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await wire.untilEnd()
    await until(() => decisions.length === 2)
    expect(last()).toMatchObject({ verdict: 'denied', rule: 'bytes' })
    // What is counted last is not handed on.
    expect(far.wires[0]?.got.length).toBeLessThanOrEqual(mib)
    expect(await tunnel('allowed.test:443')).toMatchObject({
      status: 403,
      text: 'This box has sent more than its 1 MiB. For more, raise policy.limits.upMb in cofferdam.yaml and start a new task.\n',
    })
    expect((await ask('GET', 'http://allowed.test/')).status).toBe(403)
    expect(far.wires).toHaveLength(1)
    expect(passage.counts()).toMatchObject({ allowed: 0, denied: 3 })
  })

  it('end one that gets more', async () => {
    const far = await openFar(
      ({ socket }) => void socket.once('data', () => socket.end(Buffer.alloc(3 * mib))),
    )
    const { tunnel, last, decisions } = await lab(far.port, { boxLimits: { downMb: 1 } })
    const { wire } = await tunnel('allowed.test:443')
    wire.send(hello)
    expect((await wire.untilEnd()).length).toBeLessThanOrEqual(mib)
    await until(() => decisions.length === 2)
    expect(last()).toMatchObject({ verdict: 'denied', rule: 'bytes' })
    expect(decisions.at(-1)?.text).toMatch(
      /^This box has received .* raise policy\.limits\.downMb in cofferdam\.yaml/,
    )
  })

  it('are those of all its connections together', async () => {
    const far = await openFar(
      ({ socket }) => void socket.once('data', () => socket.end(Buffer.alloc(0.75 * mib))),
    )
    const { tunnel } = await lab(far.port, { boxLimits: { downMb: 1 } })
    const first = await tunnel('allowed.test:443')
    const second = await tunnel('allowed.test:443')
    first.wire.send(hello)
    expect((await first.wire.untilEnd()).length).toBe(0.75 * mib)
    second.wire.send(hello)
    expect((await second.wire.untilEnd()).length).toBeLessThan(0.75 * mib)
  })

  it.each<[string, number, string]>([
    ['upMb', 403, 'POST'],
    ['downMb', 200, 'GET'],
  ])('%s ends a plain request', async (limit, status, method) => {
    const web = await openWeb((request, response) => {
      request.resume()
      if (method === 'GET') response.end(Buffer.alloc(3 * mib))
    })
    const { ask, last } = await lab(web.port, { boxLimits: { [limit]: 1 } })
    const reply = await ask(
      method,
      'http://allowed.test/',
      method === 'POST' ? { body: Buffer.alloc(3 * mib) } : {},
    )
    expect([reply.status, last()?.rule]).toEqual([status, 'bytes'])
    expect(reply.body.length).toBeLessThanOrEqual(mib + 10)
    expect(web.seen.join('').length).toBeLessThan(1.2 * mib)
  })
})

describe('connections of a box', () => {
  it('above the limit are turned away, and there is room again when one has gone', async () => {
    const { connect, ask, last, passage } = await lab(1, { boxLimits: { connections: 3 } })
    const [first] = await Promise.all([connect(), connect(), connect()])
    const late = await connect()
    expect(replyOf(await late.untilEnd())).toMatchObject({
      status: 503,
      body: 'This box has its 3 connections open already: close one first. For more, raise policy.limits.connections in cofferdam.yaml and start a new task.\n',
    })
    expect(last()).toMatchObject({ kind: 'other', verdict: 'denied', rule: 'connections' })
    first?.socket.destroy()
    await until(async () => (await ask('GET', '/nothing/')).status === 403)
    expect(passage.counts().allowed).toBe(0)
  })

  it('in a flood leave the event loop free and the record short', async () => {
    const { connect, decisions, passage } = await lab(1, { boxLimits: { connections: 8 } })
    const held = await Promise.all(Array.from({ length: 8 }, () => connect()))
    let longest = 0
    let before = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - before)
      before = performance.now()
    }, 1)
    for (let round = 0; round < 20; round += 1) {
      const wires = await Promise.all(Array.from({ length: 100 }, () => connect()))
      await Promise.all(wires.map((wire) => wire.untilEnd()))
    }
    clearInterval(timer)
    expect(longest).toBeLessThan(500)
    expect(passage.counts().denied).toBe(2000)
    expect(decisions.length).toBeLessThan(10)
    for (const { socket } of held) socket.destroy()
    await passage.close()
    expect(decisions.at(-1)?.text).toContain('2000 times')
  })
})

describe('heads', () => {
  it('that come drop by drop end after a time', async () => {
    const { connect } = await lab(1, { limits: { headMs: 200 } })
    const wire = await connect()
    const began = performance.now()
    const drops = setInterval(() => wire.send('x'), 20)
    wire.send(`${get}X-Slow: `)
    expect(await wire.untilEnd()).toBe('')
    clearInterval(drops)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('are awaited so long before the first request and after each, not during one', async () => {
    const web = await openWeb((_request, response) => void setTimeout(() => response.end('done'), 500))
    const { connect } = await lab(web.port, { limits: { headMs: 200 } })
    const silent = await connect()
    expect(await silent.untilEnd()).toBe('')
    const working = await connect()
    working.send(`${get}\r\n`)
    await working.until('done')
    expect(working.ended).toBe(false)
    await working.untilEnd()
  })

  it.each([
    ['one long field', `${get}X-Long: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['many fields', `${get}${Array.from({ length: 5000 }, (_, n) => `X-${n}: 1234567890\r\n`).join('')}\r\n`],
    [
      'a long address',
      `GET http://allowed.test/${'x'.repeat(70_000)} HTTP/1.1\r\nHost: allowed.test\r\n\r\n`,
    ],
  ])('of more than their limit (%s) are refused', async (_what, bytes) => {
    const web = await openWeb((_request, response) => response.end())
    const { exchange, last } = await lab(web.port)
    expect(replyOf(await exchange(bytes)).status).toBe(431)
    expect(last()).toMatchObject({ verdict: 'denied', rule: 'unreadable' })
    expect(web.seen).toEqual([])
  })

  it.each([
    ['TLS', helloBytes({ name: 'allowed.test' })],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no HTTP', 'SSH-2.0-client\r\n\r\n'],
    ['a control character', 'GET http://allowed.test/\u0001 HTTP/1.1\r\n\r\n'],
  ])('that are %s are refused', async (_what, bytes) => {
    const { exchange, last } = await lab(1)
    expect(replyOf(await exchange(bytes)).status).toBe(400)
    expect(last()).toMatchObject({ kind: 'other', verdict: 'denied', rule: 'unreadable' })
  })
})

describe('bodies', () => {
  it('that stop coming end after a time', async () => {
    const web = await openWeb((request) => void request.resume())
    const { connect, last, decisions } = await lab(web.port, { limits: { bodyIdleMs: 150 } })
    const wire = await connect()
    wire.send(`POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 100\r\n\r\nhalf`)
    await wire.untilEnd()
    await until(() => decisions.length === 2)
    expect(last()?.verdict).toBe('failed')
  })

  const large = 24 * 1024 * 1024
  const upload = `POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: ${large}\r\nConnection: close\r\n\r\n`

  it('that the far end takes its time with are not idle', async () => {
    let got = 0
    const web = await openFar(({ socket }) => {
      // What keeps all that comes would be slow by itself.
      socket.removeAllListeners('data').pause()
      setTimeout(() => socket.resume(), 1500)
      socket.on('data', (chunk) => {
        got += chunk.length
        if (got > large) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nread')
      })
    })
    const { connect } = await lab(web.port, { limits: { bodyIdleMs: 500 }, boxLimits: { upMb: 64 } })
    const wire = await connect()
    wire.send(upload)
    wire.send(Buffer.alloc(large))
    expect(replyOf(await wire.untilEnd())).toMatchObject({ status: 200, body: 'read' })
    expect(got).toBeGreaterThan(large)
  })

  it('that the far end never takes end with the time without a byte', async () => {
    const web = await openFar(({ socket }) => void socket.pause())
    const limits = { bodyIdleMs: 60_000, idleMs: 200 }
    const { connect, last, decisions } = await lab(web.port, { limits, boxLimits: { upMb: 64 } })
    const wire = await connect()
    const began = performance.now()
    wire.send(upload)
    wire.send(Buffer.alloc(large))
    await until(() => decisions.length === 2)
    expect(last()?.verdict).toBe('failed')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('of a refused request are read a little, so that its sender gets the answer', async () => {
    const { connect } = await lab(1)
    const wire = await connect()
    wire.send('POST http://denied.test/ HTTP/1.1\r\nHost: denied.test\r\nContent-Length: 500000\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.send(Buffer.alloc(500_000))
    expect(replyOf(await wire.until('--egress denied.test:80.\n')).status).toBe(403)
  })

  it('of a refused request that never end do not hold its connection', async () => {
    const { connect } = await lab(1)
    const wire = await connect()
    wire.send('POST http://denied.test/ HTTP/1.1\r\nHost: denied.test\r\nTransfer-Encoding: chunked\r\n\r\n')
    let sent = 0
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')])
    while (!wire.ended && sent < 2000) {
      sent += 1
      if (!wire.socket.write(chunk))
        await Promise.race([
          new Promise((resolve) => wire.socket.once('drain', resolve)),
          new Promise((resolve) => setTimeout(resolve, 50)),
        ])
    }
    await wire.untilEnd()
    expect(sent).toBeLessThan(200)
  })

  it('are asked for where their sender waits to be asked', async () => {
    const web = await openWeb((request, response) => void request.pipe(response))
    const { connect } = await lab(web.port)
    const wire = await connect()
    wire.send(
      'POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
    )
    await wire.until('100 Continue\r\n\r\n')
    wire.send('body')
    expect(replyOf(await wire.untilEnd())).toMatchObject({ status: 200, body: 'body' })
  })
})
