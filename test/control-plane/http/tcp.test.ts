import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerError } from '../../../control-plane/http/problem.ts'
import { addressOf, networkOf, serveTcp } from '../../../control-plane/http/tcp.ts'
import { type HttpSettings, usualRates } from '../../../src/domain/listen.ts'
import { until } from '../../support/until.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-tcp-'))
  for (const name of ['', 'new-']) makePair(join(folder, `${name}key.pem`), join(folder, `${name}cert.pem`))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function makePair(key: string, cert: string): void {
  const make = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', [...make, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
}

const settings: HttpSettings = {
  address: '127.0.0.1',
  port: 0,
  hosts: [],
  tls: null,
  proxyTls: false,
  perMinute: usualRates,
}
const pair = () => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') })

const app = new Hono()
  .get('/hello', (context) => context.text('hello'))
  .get('/direct', (context) => context.text(addressOf(context, false)))
  .get('/proxied', (context) => context.text(addressOf(context, true)))

describe('the API at an address', () => {
  it('is there until it is put away', async () => {
    const listening = await serveTcp(app, settings)
    expect(await (await fetch(`${listening.origin}/hello`)).text()).toBe('hello')
    await listening[Symbol.asyncDispose]()
    await expect(fetch(`${listening.origin}/hello`)).rejects.toThrow('fetch failed')
  })

  /** What is said to one who trusts this certificate alone. */
  const said = (origin: string, ca: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(`${origin}/hello`, { ca, agent: false }, (answer) => {
        answer.setEncoding('utf8').on('data', resolve)
      })
      sent.on('error', reject).end()
    })

  it('speaks TLS with the pair that is named', async () => {
    await using listening = await serveTcp(app, { ...settings, tls: pair() })
    expect(listening.origin).toMatch(/^https:/)
    expect(await said(listening.origin, readFileSync(pair().cert))).toBe('hello')
  })

  it('takes the pair that comes in the place of the first, and keeps that while only half of it is there', async () => {
    const tls = { cert: join(folder, 'served-cert.pem'), key: join(folder, 'served-key.pem') }
    const lay = (name: string, part: 'cert' | 'key'): void => {
      // As tools that renew certificates do: a link, turned at one moment.
      symlinkSync(join(folder, `${name}${part}.pem`), join(folder, 'link'))
      renameSync(join(folder, 'link'), tls[part])
    }
    for (const part of ['cert', 'key'] as const) lay('', part)
    const happened: string[] = []
    const renewals = {
      renewed: () => void happened.push('renewed'),
      failed: (why: string) => void happened.push(why),
      everyMs: 20,
    }
    await using listening = await serveTcp(app, { ...settings, tls }, renewals)
    const [before, after] = ['cert.pem', 'new-cert.pem'].map((name) => readFileSync(join(folder, name)))
    if (before === undefined || after === undefined) throw new Error('there is no certificate')

    lay('new-', 'cert')
    await until(() => happened.length === 1)
    expect(happened[0]).toMatch(/cannot be used .*key values mismatch/)
    expect(await said(listening.origin, before)).toBe('hello')

    lay('new-', 'key')
    await until(() => happened.length === 2)
    expect(happened[1]).toBe('renewed')
    expect(await said(listening.origin, after)).toBe('hello')
    await expect(said(listening.origin, before)).rejects.toThrow('self-signed certificate')
  })

  it('knows who calls, from a proxy only where there is one', async () => {
    await using listening = await serveTcp(app, settings)
    const ask = async (path: string): Promise<string> => {
      const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }
      return (await fetch(`${listening.origin}${path}`, { headers })).text()
    }
    expect([await ask('/direct'), await ask('/proxied')]).toEqual(['127.0.0.1', '203.0.113.9'])
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['unknown', 'unknown'],
  ])('counts %s as %s', (address, network) => expect(networkOf(address)).toBe(network))

  it('leaves others their connections where one address takes all that it can', async () => {
    await using listening = await serveTcp(app, settings)
    const port = Number(new URL(listening.origin).port)
    let ended = 0
    const many: Socket[] = []
    // A hundred at a time: the kernel keeps only so many waiting, and whoever comes after that tries again seconds later.
    while (many.length < 1100) {
      const some = Array.from({ length: 100 }, () =>
        connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
          .on('error', () => undefined)
          .on('close', () => (ended += 1)),
      )
      many.push(...some)
      await Promise.all(some.map((socket) => once(socket, 'connect')))
    }
    await until(() => ended === 76)
    expect(await (await fetch(`${listening.origin}/hello`)).text()).toBe('hello')
    const [first] = many
    first?.destroy()
    await until(() => ended === 77)
    // The place of one that has gone is free again.
    const next = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
    next.write('GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n')
    expect(String(await once(next, 'data'))).toContain('hello')
    for (const socket of [...many, next]) socket.destroy()
  })

  it('ends the connections of who says nothing', async () => {
    await using listening = await serveTcp(app, settings, undefined, {
      headersTimeout: 300,
      connectionsCheckingInterval: 100,
    })
    const port = Number(new URL(listening.origin).port)
    const silent = connect({ host: '127.0.0.1', port })
    const half = connect({ host: '127.0.0.1', port }, () => half.write('GET /hello HTTP/1.1\r\n'))
    const answers: string[] = []
    for (const socket of [silent, half]) socket.on('data', (data) => answers.push(String(data).slice(0, 12)))
    await Promise.all([once(silent, 'close'), once(half, 'close')])
    expect(answers.every((answer) => answer === 'HTTP/1.1 408')).toBe(true)
  })

  it('takes a body that ends in the middle for a bad request, and for no failure of its own', async () => {
    const statuses: number[] = []
    const failures: unknown[] = []
    const told = new Hono()
      .post('/hello', async (context) => context.text(await context.req.text()))
      .onError((error, context) => {
        const answer = answerError(error, context, (failure) => failures.push(failure))
        statuses.push(answer.status)
        return answer
      })
    await using listening = await serveTcp(told, settings)
    const head = 'POST /hello HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n'
    const cut = connect({ host: '127.0.0.1', port: Number(new URL(listening.origin).port) })
    cut.write(`${head}half`, () => setTimeout(() => cut.destroy(), 100))
    await until(() => statuses.length > 0)
    expect([statuses, failures]).toEqual([[400], []])
  })

  it('is refused where it cannot be', async () => {
    await using taken = await serveTcp(app, settings)
    const port = Number(new URL(taken.origin).port)
    writeFileSync(join(folder, 'no.pem'), 'no key')
    const no = join(folder, 'no.pem')
    for (const [change, text] of [
      [{ port }, /name another address/],
      [{ tls: { cert: no, key: no } }, /name a pair in PEM/],
      [{ tls: { cert: '/not/there', key: no } }, /cannot be read/],
    ] as const) {
      await expect(serveTcp(app, { ...settings, ...change })).rejects.toMatchObject({
        code: 'bad_config',
        message: expect.stringMatching(text) as unknown,
      })
    }
  })
})
