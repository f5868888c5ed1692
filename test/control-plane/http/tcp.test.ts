import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, serveTcp } from '../../../control-plane/http/tcp.ts'
import { type HttpSettings, usualRates } from '../../../src/domain/listen.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-tcp-'))
  const at = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
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
  execFileSync('openssl', [...make, ...at, ...subject], { stdio: 'ignore' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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

  it('speaks TLS with the pair that is named', async () => {
    await using listening = await serveTcp(app, { ...settings, tls: pair() })
    expect(listening.origin).toMatch(/^https:/)
    const text = await new Promise((resolve, reject) => {
      const ca = readFileSync(pair().cert)
      const sent = request(`${listening.origin}/hello`, { ca }, (answer) => {
        answer.setEncoding('utf8').on('data', resolve)
      })
      sent.on('error', reject).end()
    })
    expect(text).toBe('hello')
  })

  it('knows who calls, from a proxy only where there is one', async () => {
    await using listening = await serveTcp(app, settings)
    const ask = async (path: string): Promise<string> => {
      const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }
      return (await fetch(`${listening.origin}${path}`, { headers })).text()
    }
    expect([await ask('/direct'), await ask('/proxied')]).toEqual(['127.0.0.1', '203.0.113.9'])
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
