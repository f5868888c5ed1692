import { connect as connectTcp } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Overseer } from '../../src/domain/gateway.ts'
import { Failure } from '../../src/domain/failure.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { anthropic } from '../../src/gateway/upstreams/anthropic.ts'
import { until } from '../support/until.ts'
import { helloBytes } from './hello.ts'
import { type LabOptions, openFar, openLab, openWeb, publicAddress, rule, Wire } from './lab.ts'

const hello = helloBytes({ name: 'allowed.test' })
const lab = (far: number, some: LabOptions = {}) =>
  openLab({
    names: { 'allowed.test': [publicAddress] },
    tunnels: [rule('allowed.test', { ports: [80, 443] })],
    far,
    ...some,
  })

describe('closing a passage', () => {
  it('ends tunnels, requests, heads and dials, and records the end of each', async () => {
    const far = await openFar()
    const web = await openWeb(() => undefined)
    const { tunnel, connect, passage, decisions } = await lab(far.port, {
      places: { [`${publicAddress}:80`]: web.port },
    })
    const open = await tunnel('allowed.test:443')
    open.wire.send(hello)
    const waiting = await connect()
    waiting.send('GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n')
    const helloLess = await tunnel('allowed.test:443')
    const silent = await connect()
    await until(() => web.seen[0]?.includes('\r\n\r\n') === true && far.wires[0]?.got !== '')
    await passage.close()
    // All is on record when it is closed.
    expect(
      decisions
        .filter(({ bytesUp }) => bytesUp !== null)
        .map(({ id }) => id)
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3])
    for (const wire of [open.wire, waiting, helloLess.wire, silent]) await wire.untilEnd()
    await until(() => far.wires.every(({ ended }) => ended))
    await passage.close()
  })

  it('takes no connection afterwards, and starts nothing', async () => {
    const { connect, passage, story } = await lab(1)
    await passage.close()
    const wire = await connect()
    wire.send('CONNECT allowed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await wire.untilEnd()).toBe('')
    expect(story).toEqual([])
  })

  it('ends while a name is looked up, and while nobody reads', async () => {
    const asking = await lab(1, { resolve: () => new Promise(() => undefined) })
    const wire = await asking.connect()
    wire.send('CONNECT allowed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => asking.story.length > 0)
    await asking.passage.close()

    const far = await openFar(({ socket }) => {
      socket.pause()
      socket.write(Buffer.alloc(7 * 1024 * 1024))
    })
    const stuck = await lab(far.port)
    const opened = await stuck.tunnel('allowed.test:443')
    opened.wire.socket.pause()
    opened.wire.send(Buffer.concat([hello, Buffer.alloc(7 * 1024 * 1024)]))
    await until(() => stuck.passage.counts().bytesDown > 100_000)
    await stuck.passage.close()
    expect(stuck.decisions.at(-1)?.bytesUp).toBeGreaterThan(0)
  })

  it('is what opening it again for the same box does', async () => {
    const gateway = createGateway({ upstreams: [], secrets: [], prices: {}, clock: Date.now })
    const nobody: Overseer = {
      decided: () => undefined,
      left: () => ({ tokens: null, costUsd: null }),
      spent: () => undefined,
      exhausted: () => undefined,
      unavailable: () => undefined,
      leaked: () => undefined,
    }
    const accepted: Wire[] = []
    let passage = gateway.open({ name: 'box', kind: 'agent', egress: null }, nobody)
    const far = await openFar((wire) => {
      accepted.push(wire)
      passage.accept(wire.socket)
    })
    const first = new Wire(connectTcp(far.port, '127.0.0.1'))
    await until(() => accepted.length === 1)
    const before = passage
    passage = gateway.open({ name: 'box', kind: 'agent', egress: null }, nobody)
    expect(passage).not.toBe(before)
    expect(await first.untilEnd()).toBe('')
    const second = new Wire(connectTcp(far.port, '127.0.0.1'))
    // A box without an egress is refused everything.
    second.send('CONNECT allowed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await second.untilEnd()).toContain(' 403 ')
    expect(passage.counts()).toMatchObject({ allowed: 0, denied: 1 })
    await before.close()
    await passage.close()
  })
})

describe('the record', () => {
  it('numbers what is asked, and tells each once when it is decided and once when it is over', async () => {
    const web = await openWeb((_request, response) => response.end('done'))
    const { ask, decisions } = await lab(web.port)
    await ask('GET', 'http://allowed.test/a?secret=1')
    await ask('GET', 'http://denied.test/b')
    await ask('GET', 'http://allowed.test/c')
    expect(decisions.map(({ id, verdict, path, bytesDown }) => [id, verdict, path, bytesDown])).toEqual([
      [1, 'allowed', '/a', null],
      [1, 'allowed', '/a', 4],
      [2, 'denied', '/b', null],
      [3, 'allowed', '/c', null],
      [3, 'allowed', '/c', 4],
    ])
  })

  it('tells the first refusals of a kind, then every tenth power, and the number at the end', async () => {
    const { ask, decisions, passage } = await lab(1)
    for (let count = 0; count < 13; count += 1) await ask('GET', 'http://denied.test/')
    await ask('GET', 'http://other.test/')
    expect(decisions.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 5, 6])
    await passage.close()
    expect(decisions.slice(5).map(({ text }) => / \((\d+) times/.exec(text)?.[1])).toEqual([
      '10',
      undefined,
      '13',
    ])
    expect(passage.counts().denied).toBe(14)
  })

  it('stays short for a box that makes up names', async () => {
    const { ask, decisions, passage } = await lab(1)
    for (let count = 0; count < 230; count += 1) await ask('GET', `http://x${count}.test/`)
    expect(decisions.length).toBeLessThan(215)
    expect(passage.counts().denied).toBe(230)
  })

  it('has nothing in it that moves a cursor, and an end', async () => {
    const { exchange, decisions } = await lab(1)
    await exchange(`CONNECT \u009b31mx${'y'.repeat(600)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await exchange('CONNECT a\tb:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    for (const { host } of decisions) {
      expect(host).not.toMatch(/\p{Cc}/u)
      expect(host.length).toBeLessThanOrEqual(255)
    }
    expect(decisions.length).toBeGreaterThan(0)
  })
})

describe('a gateway that cannot be made', () => {
  const made = (...upstreams: Parameters<typeof anthropic>[0][]) =>
    createGateway({ upstreams: upstreams.map(anthropic), secrets: [], prices: {}, clock: Date.now })

  it.each([
    ['no address', [{ origin: 'nowhere', key: null }]],
    ['another scheme', [{ origin: 'ftp://a.test', key: null }]],
    ['a user', [{ origin: 'https://me@a.test', key: null }]],
    ['a query', [{ origin: 'https://a.test/?key=1', key: null }]],
    ['twice the same name', [{ key: null }, { key: null }]],
  ])('says so: %s', (_what, upstreams) => {
    expect(() => made(...upstreams)).toThrow(Failure)
  })
})
