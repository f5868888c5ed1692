import { describe, expect, it } from 'vitest'
import { type LabOptions, openLab, openWeb, publicAddress, rule } from './lab.ts'
import { encoded } from './spellings.ts'

// Plain requests; those of upstreams have a table of their own.

const secret = 'tok/EN+with "odd"~9f8e7d6c'
const names = { 'allowed.test': [publicAddress], [`${'a'.repeat(9)}.wild.test`]: [publicAddress] }
const lab = (far: number, some: LabOptions = {}) =>
  openLab({
    names,
    tunnels: [rule('allowed.test', { ports: [80, 443] }), rule('*.wild.test', { ports: [80, 443] })],
    secrets: [{ name: 'token', value: secret }],
    far,
    ...some,
  })
const spellings = encoded(secret)

describe('a secret on its way out', () => {
  it.each(spellings)('%s in a body is stopped before its first byte', async (_what, spelling, encoding) => {
    const web = await openWeb((request, response) => {
      request.resume().on('end', () => response.end())
    })
    const { ask, leaks, last } = await lab(web.port)
    const reply = await ask('POST', 'http://allowed.test/', { body: `before ${spelling} after` })
    expect([reply.status, last()?.rule]).toEqual([403, 'leak'])
    expect(leaks).toEqual([{ secret: 'token', way: 'up', encoding }])
    expect(web.seen.join('')).not.toContain(spelling.slice(0, 12))
    expect(reply.body).not.toContain(secret)
  })

  it('cut into pieces at every place is stopped too', async () => {
    const web = await openWeb((request, response) => {
      request.resume().on('end', () => response.end())
    })
    const { connect, leaks } = await lab(web.port)
    for (let at = 1; at < secret.length; at += 5) {
      const wire = await connect()
      wire.send(
        `POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: ${secret.length}\r\nConnection: close\r\n\r\n${secret.slice(0, at)}`,
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
      wire.send(secret.slice(at))
      expect(await wire.untilEnd()).toContain(' 403 ')
    }
    expect(leaks.length).toBeGreaterThan(0)
    expect(web.seen.join('')).not.toContain(secret.slice(0, 3))
  })

  it.each<[string, string, readonly string[]]>([
    ['a path', `http://allowed.test/${encodeURIComponent(secret)}`, []],
    ['a query', `http://allowed.test/?q=${Buffer.from(secret).toString('hex')}`, []],
    ['a header', 'http://allowed.test/', [`X-A: ${secret}`]],
    [
      'credentials',
      'http://allowed.test/',
      [`Authorization: Basic ${Buffer.from(`me:${secret}`).toString('base64')}`],
    ],
    ['a header’s name', 'http://allowed.test/', [`X-${Buffer.from(secret).toString('hex')}: a`]],
  ])('in %s is stopped, and is not on record', async (_what, url, headers) => {
    const web = await openWeb((_request, response) => response.end())
    const { ask, leaks, last, decisions, story } = await lab(web.port)
    expect((await ask('GET', url, { headers })).status).toBe(403)
    expect([leaks.length, last()?.rule]).toEqual([1, 'leak'])
    expect(story.filter((each) => !each.startsWith('decided'))).toEqual([])
    const recorded = JSON.stringify(decisions)
    for (const [, spelling] of spellings) expect(recorded).not.toContain(spelling)
  })

  it('in the name of a host is stopped before it is looked up', async () => {
    const hex = 'deadbeef00112233'
    const { tunnel, ask, story, leaks, decisions } = await lab(1, {
      secrets: [{ name: 'short', value: hex }],
    })
    expect((await tunnel(`${hex}.wild.test:443`)).status).toBe(403)
    expect((await ask('GET', `http://${hex}.wild.test/`)).status).toBe(403)
    expect(story).toEqual(['decided denied leak', 'decided denied leak'])
    expect(leaks).toHaveLength(2)
    expect(JSON.stringify(decisions)).not.toContain(hex)
  })

  it('whose letters are not ASCII is found in a header as well', async () => {
    const value = 'pässwörd-ß-1234'
    const web = await openWeb((_request, response) => response.end())
    const { exchange, leaks } = await lab(web.port, { secrets: [{ name: 'umlauts', value }] })
    const text = await exchange(
      Buffer.from(
        `GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nX-A: ${value}\r\nConnection: close\r\n\r\n`,
      ),
    )
    expect(text).toContain(' 403 ')
    expect(leaks).toHaveLength(1)
    expect(web.seen).toEqual([])
  })
})

describe('a secret on its way in', () => {
  it.each(spellings)('%s in an answer is replaced', async (_what, spelling, encoding) => {
    const web = await openWeb((_request, response) => {
      response.writeHead(200, { 'content-length': Buffer.byteLength(spelling) + 14 })
      response.write(`before ${spelling.slice(0, 5)}`)
      setTimeout(() => response.end(`${spelling.slice(5)} after.`), 20)
    })
    const { ask, leaks } = await lab(web.port)
    const { status, body } = await ask('GET', 'http://allowed.test/')
    expect([status, body]).toEqual([200, 'before [redacted:token] after.'])
    expect(leaks).toEqual([{ secret: 'token', way: 'down', encoding }])
  })

  it('in a header is replaced', async () => {
    const web = await openWeb((_request, response) => {
      response.writeHead(302, { location: `http://allowed.test/?${encodeURIComponent(secret)}` }).end()
    })
    const { ask, leaks } = await lab(web.port)
    expect((await ask('GET', 'http://allowed.test/')).headers['location']).toBe(
      'http://allowed.test/?[redacted:token]',
    )
    expect(leaks).toEqual([{ secret: 'token', way: 'down', encoding: 'url' }])
  })

  it('in one that is compressed cannot be seen, so none is asked for', async () => {
    const web = await openWeb((request, response) => response.end(request.headers['accept-encoding']))
    const { ask } = await lab(web.port)
    const { body } = await ask('GET', 'http://allowed.test/', { headers: ['Accept-Encoding: gzip, br'] })
    expect(body).toBe('identity')
  })
})
