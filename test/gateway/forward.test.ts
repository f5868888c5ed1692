import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { type LabOptions, openLab, openWeb, publicAddress, replyOf, rule } from './lab.ts'

const names = {
  'allowed.test': [publicAddress],
  'inside.test': ['10.0.0.5'],
  'other.test': [publicAddress],
}
const tunnels = [rule('allowed.test', { ports: [80, 8080] }), rule('inside.test', { ports: [80] })]
const plain: RequestListener = (request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += String(chunk)))
  request.on('end', () => {
    response.setHeader('content-type', 'text/plain')
    response.setHeader('x-seen', 'yes')
    response.end(`${request.method} ${request.url} ${request.headers.host} ${body}`)
  })
}
async function forwarding(respond: RequestListener = plain, some: LabOptions = {}) {
  const web = await openWeb(respond)
  return { web, lab: await openLab({ names, tunnels, far: web.port, ...some }) }
}

describe('a plain request', () => {
  it.each([
    ['http://allowed.test/a?b=c', 'GET /a?b=c allowed.test '],
    ['http://allowed.test', 'GET / allowed.test '],
    ['http://allowed.test:80/a', 'GET /a allowed.test '],
    ['http://allowed.test:8080/a', 'GET /a allowed.test:8080 '],
    ['HTTP://ALLOWED.test./a', 'GET /a allowed.test '],
  ])('%s is asked for outside as "%s"', async (url, seen) => {
    const { lab } = await forwarding()
    const host = /^http:\/\/([^/]*)/i.exec(url)?.[1] ?? ''
    const reply = await lab.ask('GET', url, { headers: [`Host: ${host}`] })
    expect([reply.status, reply.body, reply.headers['x-seen']]).toEqual([200, seen, 'yes'])
    expect(lab.decisions).toHaveLength(2)
    expect(lab.decisions.at(-1)).toMatchObject({
      kind: 'forward',
      method: 'GET',
      path: seen.split(' ')[1]?.split('?')[0],
      verdict: 'allowed',
      bytesDown: seen.length,
    })
  })

  it('has its body handed on', async () => {
    const { lab } = await forwarding()
    const { body } = await lab.ask('POST', 'http://allowed.test/a', { body: 'x'.repeat(100_000) })
    expect(body).toBe(`POST /a allowed.test ${'x'.repeat(100_000)}`)
    expect(lab.passage.counts()).toMatchObject({ bytesUp: 100_000 })
  })

  it('goes out without what is of its connection alone, and without what names the box', async () => {
    const { lab, web } = await forwarding()
    await lab.ask('GET', 'http://allowed.test/', {
      headers: [
        'Proxy-Authorization: Basic eDp5',
        'X-Hop: gone',
        'Connection: x-hop',
        'Via: 1.1 box',
        'Forwarded: for=box',
        'TE: trailers',
        'Upgrade: websocket',
        'X-Stays: here',
      ],
    })
    const [seen = ''] = web.seen
    expect(seen).toMatch(/^x-stays: here\r$/im)
    expect(seen).not.toMatch(/proxy-auth|x-hop|via|forwarded|upgrade|trailers/i)
  })

  it.each<[string, string, readonly string[], number, string]>([
    ['another Host', 'http://allowed.test/', ['Host: other.test'], 421, 'host header'],
    ['another port in Host', 'http://allowed.test/', ['Host: allowed.test:8080'], 421, 'host header'],
    ['no Host', 'http://allowed.test/', ['Host:'], 421, 'host header'],
    ['two hosts', 'http://allowed.test/', ['Host: allowed.test', 'Host: other.test'], 421, 'host header'],
    ['another port', 'http://allowed.test:22/', [], 403, 'no rule'],
    ['another name', 'http://other.test/', [], 403, 'no rule'],
    ['a name that leads inside', 'http://inside.test/', [], 403, 'not public'],
    ['metadata', 'http://169.254.169.254/latest/', [], 403, 'always blocked'],
    ['a user', 'http://user@allowed.test/', ['Host: allowed.test'], 403, 'unreadable'],
    ['a decimal address', 'http://2130706433/', [], 403, 'unreadable'],
    ['https by a plain request', 'https://allowed.test/', ['Host: allowed.test'], 403, 'unreadable'],
    ['another scheme', 'ftp://allowed.test/', ['Host: allowed.test'], 403, 'unreadable'],
    ['no address at all', '/', ['Host: allowed.test'], 403, 'unreadable'],
    ['a star', '*', ['Host: allowed.test'], 403, 'unreadable'],
  ])('%s is refused, and nothing is sent', async (_what, url, headers, status, by) => {
    const { lab, web } = await forwarding()
    const reply = await lab.ask(url === '*' ? 'OPTIONS' : 'GET', url, { headers })
    expect([reply.status, lab.last()?.rule]).toEqual([status, by])
    expect(reply.body.trim()).toBe(lab.decisions.at(-1)?.text)
    expect(web.seen).toEqual([])
  })

  it('is refused as TRACE, which would hand back what was added on the way', async () => {
    const { lab, web } = await forwarding()
    expect((await lab.ask('TRACE', 'http://allowed.test/')).status).toBe(405)
    expect(web.seen).toEqual([])
  })

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'])(
    'cannot smuggle a second one in the body of %s',
    async (method) => {
      const { lab, web } = await forwarding()
      const inner = 'GET /smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n'
      const bytes = `${method} http://allowed.test/a HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
      const reply = replyOf(await lab.exchange(bytes))
      expect(reply.status).toBe(200)
      // One request arrived, and the other was its body.
      await until(() => lab.decisions.length === 2)
      expect(web.seen).toHaveLength(1)
      expect(web.seen[0]).toMatch(/^transfer-encoding: chunked\r$/im)
    },
  )

  it.each(
    ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST'].flatMap((method) => [
      [method, 'content-length'],
      [method, 'Content-Length, host, close'],
    ]),
  )('cannot smuggle a second one behind a %s whose Connection names %s', async (method, named) => {
    const { lab, web } = await forwarding()
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n'
    const wire = await lab.connect()
    wire.send(
      `${method} http://allowed.test/a HTTP/1.1\r\nHost: allowed.test\r\nConnection: ${named}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    )
    await wire.until(' 200 ')
    await until(() => lab.decisions.length === 2)
    expect(web.seen).toHaveLength(1)
    expect(web.seen[0]).toMatch(new RegExp(`^content-length: ${inner.length}\\r$`, 'im'))
    expect(web.seen[0]).toMatch(/^host: allowed\.test\r$/im)
  })

  it('that expects something unheard of is refused, and on record', async () => {
    const { lab, web } = await forwarding()
    const reply = await lab.ask('GET', 'http://allowed.test/', {
      headers: ['Host: allowed.test', 'Expect: banana'],
    })
    expect([reply.status, lab.last()?.rule]).toEqual([403, 'unreadable'])
    expect(web.seen).toEqual([])
  })

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['an odd encoding', 'Transfer-Encoding: chunked, identity\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
    ['a folded line', 'X-A: b\r\n Transfer-Encoding: chunked\r\n'],
    ['a lone line feed', 'X-A: b\nX-B: c\r\n'],
  ])('with %s is not read at all', async (_what, fields) => {
    const { lab, web } = await forwarding()
    const text = await lab.exchange(
      `POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n${fields}\r\nhello`,
    )
    expect([replyOf(text).status, lab.last()?.rule]).toEqual([400, 'unreadable'])
    expect(web.seen).toEqual([])
  })

  it('follows another on its connection, each looked at by itself', async () => {
    const { lab, web } = await forwarding()
    const wire = await lab.connect()
    wire.send('GET http://allowed.test/1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n')
    await wire.until('GET /1 allowed.test')
    wire.send('GET http://other.test/2 HTTP/1.1\r\nHost: other.test\r\n\r\n')
    expect(await wire.until('--egress other.test:80.\n')).toContain(' 403 ')
    wire.send('GET http://allowed.test/3 HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n')
    expect(await wire.untilEnd()).toContain('GET /3 allowed.test')
    expect(web.seen.map((each) => each.split(' ')[1])).toEqual(['/1', '/3'])
  })

  it('is not answered where another comes before its answer', async () => {
    const { lab, web } = await forwarding(() => undefined)
    const wire = await lab.connect()
    const one = 'GET http://allowed.test/1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n'
    wire.send(one + one)
    expect(await wire.untilEnd()).toBe('')
    expect(web.seen.length).toBeLessThan(2)
  })
})

describe('its answer', () => {
  it.each([301, 302, 303, 307, 308])(
    'is handed to the box where it is a redirect (%i), and the second hop is refused',
    async (code) => {
      const { lab, web } = await forwarding((_request, response) => {
        response.writeHead(code, { location: 'http://10.0.0.5/secret' }).end()
      })
      const reply = await lab.ask('GET', 'http://allowed.test/')
      expect([reply.status, reply.headers['location']]).toEqual([code, 'http://10.0.0.5/secret'])
      expect(web.seen).toHaveLength(1)
      expect((await lab.ask('GET', 'http://10.0.0.5/secret')).status).toBe(403)
      expect(web.seen).toHaveLength(1)
    },
  )

  it('comes as it comes', async () => {
    let go = (): void => undefined
    const { lab } = await forwarding((_request, response) => {
      response.write('first ')
      go = () => response.end('second')
    })
    const wire = await lab.connect()
    wire.send('GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n')
    await wire.until('first ')
    go()
    expect(await wire.untilEnd()).toContain('second')
  })

  it('to HEAD has no body, and says how long it would be', async () => {
    const { lab } = await forwarding((_request, response) =>
      response.writeHead(200, { 'content-length': 7 }).end(),
    )
    const reply = await lab.ask('HEAD', 'http://allowed.test/')
    expect([reply.status, reply.headers['content-length'], reply.body]).toEqual([200, '7', ''])
  })

  it('that breaks off is cut for the box too, and on record as such', async () => {
    const { lab } = await forwarding((_request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half', () => response.destroy())
    })
    const text = await lab.exchange('GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n')
    expect(text).not.toContain('0\r\n\r\n')
    expect(lab.last()).toMatchObject({ verdict: 'failed', rule: 'broken' })
  })

  it('that never comes ends after a time', async () => {
    const { lab } = await forwarding(() => undefined, { limits: { idleMs: 150 } })
    const reply = await lab.ask('GET', 'http://allowed.test/')
    expect(reply.status).toBe(502)
    expect(lab.last()).toMatchObject({ verdict: 'failed', rule: 'broken' })
  })

  it('that is no HTTP is none', async () => {
    const { lab } = await forwarding((request) => request.socket.end('SSH-2.0-server\r\n'))
    expect((await lab.ask('GET', 'http://allowed.test/')).status).toBe(502)
  })

  it('is given up when the box goes', async () => {
    let gone = false
    const { lab } = await forwarding((request, response) => {
      response.write('first')
      request.socket.on('close', () => (gone = true))
    })
    const wire = await lab.connect()
    wire.send('GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n')
    await wire.until('first')
    wire.socket.destroy()
    await until(() => gone && lab.decisions.length === 2)
    expect(lab.last()).toMatchObject({ verdict: 'failed' })
  })
})
