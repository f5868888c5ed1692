import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Secret } from '../../src/domain/secret.ts'
import { webhook } from '../../src/webhooks/webhook.ts'
import { aLetter, aTaskEvent } from '../support/letters.ts'
import { type Answer, type Receiver, receiver, secretOf, toReceiver } from '../support/receiver.ts'
import { aTask } from '../support/task.ts'
import type { WebhookSettings } from '../../src/domain/outbox/webhook.ts'

const opened: Receiver[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

async function open(answer?: Answer, host?: string): Promise<Receiver> {
  const one = await receiver(answer, host)
  opened.push(one)
  return one
}

/** Sends one letter, by the addresses that a name is to have where one is named. */
function send(
  settings: WebhookSettings,
  { addresses, ms = 5000 }: { addresses?: readonly string[]; ms?: number } = {},
) {
  const resolve = () => Promise.resolve(addresses ?? [])
  const deps = { clock: Date.now, ...(addresses === undefined ? {} : { resolve }) }
  return webhook(settings, deps).deliver(aLetter(), AbortSignal.timeout(ms))
}

describe('what a receiver gets', () => {
  it('holds before the verifier of Standard Webhooks, with the id of the letter', async () => {
    const there = await open()
    expect(await send(toReceiver(there.url))).toEqual({ kind: 'delivered' })
    const [request] = there.received
    expect(there.verified(request)).toEqual({ type: 'task.applied' })
    expect(request).toMatchObject({
      id: aLetter().id,
      headers: { 'content-type': 'application/json', host: `127.0.0.1:${there.port}` },
    })
    expect(() => there.verified(request, secretOf(2))).toThrow('No matching signature')
    expect(() =>
      there.verified({ ...z.custom<typeof request & object>().parse(request), body: '{}' }),
    ).toThrow('No matching signature')
  })

  it('holds before the new secret and the one before it, while both are configured', async () => {
    const there = await open()
    const secrets = [new Secret('new', secretOf(2)), new Secret('old', secretOf(1))]
    await send(toReceiver(there.url, { secrets }))
    for (const secret of [1, 2]) {
      expect(there.verified(there.received[0], secretOf(secret))).toEqual({ type: 'task.applied' })
    }
  })

  it('is not sent without a secret', async () => {
    const there = await open()
    expect(await send(toReceiver(there.url, { secrets: [] }))).toMatchObject({
      fault: 'passing',
      text: 'The webhook ci has no secret: put one in the file /secret.',
    })
    expect(there.received).toEqual([])
  })

  it('is what the webhook has chosen', () => {
    const settings = toReceiver('http://127.0.0.1/', { events: ['task.blocked'] })
    const hook = webhook(settings, { clock: Date.now })
    const told = (to: 'BLOCKED' | 'APPLIED') => hook.compose(aTaskEvent({ to }), aTask())?.type
    expect([told('BLOCKED'), told('APPLIED')]).toEqual(['task.blocked', undefined])
  })
})

describe('what an answer means', () => {
  const head =
    (status: number, headers = {}): Answer =>
    (response) =>
      response.writeHead(status, headers).end('<p>secret page</p>')
  const soon = new Date(Date.now() + 120_000).toUTCString()

  it.each<[number, Record<string, string>, object]>([
    [200, {}, { kind: 'delivered' }],
    [202, {}, { kind: 'delivered' }],
    [400, {}, { fault: 'refused', text: 'The receiver answered 400.' }],
    [404, {}, { fault: 'refused' }],
    [408, {}, { fault: 'passing' }],
    [410, {}, { fault: 'gone', text: 'The receiver says that it is gone (410).' }],
    [429, {}, { fault: 'passing', text: 'The receiver answered 429.' }],
    [429, { 'retry-after': '120' }, { fault: 'passing', afterMs: 120_000 }],
    [503, { 'retry-after': soon }, { fault: 'passing', afterMs: expect.closeTo(119_000, -4) }],
    [503, { 'retry-after': 'later' }, { fault: 'passing' }],
    [500, {}, { fault: 'passing', text: 'The receiver answered 500.' }],
  ])('%i with %o', async (status, headers, expected) => {
    const there = await open(head(status, headers))
    expect(await send(toReceiver(there.url))).toMatchObject(expected)
  })

  it.each([301, 302, 307, 308])('%i is not followed', async (status) => {
    const inside = await open()
    const there = await open(head(status, { location: inside.url }))
    expect(await send(toReceiver(there.url))).toMatchObject({
      fault: 'refused',
      text: expect.stringContaining(`sends elsewhere (${status}), which is not followed`),
    })
    expect(inside.received).toEqual([])
  })
})

describe('a receiver that', () => {
  it('hangs is left when the time is over', async () => {
    const there = await open(() => undefined)
    expect(await send(toReceiver(there.url), { ms: 100 })).toMatchObject({ fault: 'passing' })
    expect(there.received).toHaveLength(1)
  })

  it('answers drop by drop is left when the time is over', async () => {
    const server = createServer((socket) => {
      const timer = setInterval(() => socket.write('H'), 20)
      socket.on('error', () => undefined).on('close', () => clearInterval(timer))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = z.object({ port: z.number() }).parse(server.address())
    const outcome = await send(toReceiver(`http://127.0.0.1:${port}/`), { ms: 200 })
    expect(outcome).toMatchObject({ fault: 'passing' })
    server.close()
  })

  it('changes to another protocol has not got it, and is not waited for', async () => {
    const there = await open((_, __, request) => {
      request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n')
    })
    const began = performance.now()
    expect(await send(toReceiver(there.url))).toMatchObject({ text: 'The receiver answered 101.' })
    expect(performance.now() - began).toBeLessThan(4000)
  })

  it('sends a body without end is not read', async () => {
    let written = 0
    const there = await open((response) => {
      response.writeHead(200)
      const timer = setInterval(() => {
        written += 65_536
        response.write('x'.repeat(65_536))
      }, 1)
      response.on('close', () => clearInterval(timer))
    })
    expect(await send(toReceiver(there.url))).toEqual({ kind: 'delivered' })
    await sleep(50)
    const soFar = written
    await sleep(100)
    expect(written).toBe(soFar)
  })

  it.each<[string, Answer]>([
    ['closes without an answer', (_, __, request) => request.socket.destroy()],
    [
      'sends more headers than a receiver has',
      (response) => response.writeHead(200, { more: 'x'.repeat(20_000) }).end(),
    ],
  ])('%s has not got it', async (_name, answer) => {
    const there = await open(answer)
    expect(await send(toReceiver(there.url))).toMatchObject({
      fault: 'passing',
      text: expect.stringMatching(/^127\.0\.0\.1 could not be reached: \w+\.$/),
    })
  })

  it('is not there has not got it', async () => {
    const there = await receiver()
    await there[Symbol.asyncDispose]()
    expect(await send(toReceiver(there.url))).toMatchObject({
      fault: 'passing',
      text: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('where a webhook may lead', () => {
  const refused = (text: RegExp) => ({ kind: 'failed', fault: 'passing', text: expect.stringMatching(text) })

  it.each([
    ['http://127.0.0.1:PORT/'],
    ['http://127.1:PORT/'],
    ['http://0x7f000001:PORT/'],
    ['http://2130706433:PORT/'],
    ['http://[::ffff:127.0.0.1]:PORT/'],
    ['http://localhost:PORT/'],
    ['http://x.localhost:PORT/'],
  ])('not to this machine unless that is allowed: %s', async (url) => {
    const there = await open()
    const settings = toReceiver(url.replace('PORT', String(there.port)), { network: 'public' })
    expect(await send(settings)).toEqual(
      refused(/this machine|no address for webhooks|could not be resolved/),
    )
    expect(there.received).toEqual([])
  })

  it.each([
    ['127.0.0.1', 'public', /leads to 127\.0\.0\.1, which is this machine: name another host, or allow/],
    ['::1', 'public', /which is this machine/],
    ['::ffff:127.0.0.1', 'public', /no address for webhooks/],
    ['169.254.169.254', 'public', /no address for webhooks/],
    ['169.254.169.254', 'private', /no address for webhooks/],
    ['fd00:ec2::254', 'private', /no address for webhooks/],
    ['0.0.0.0', 'private', /no address for webhooks/],
    ['100.64.0.1', 'private', /no address for webhooks/],
    ['10.1.2.3', 'public', /which is a private address/],
    ['192.168.1.1', 'public', /which is a private address/],
    ['fd12::1', 'public', /which is a private address/],
    ['127.0.0.1', 'private', /which is this machine/],
    ['10.1.2.3', 'loopback', /which is a private address/],
    ['203.0.113.7', 'loopback', /which is a private address/],
    ['8.8.8.8', 'loopback', /which is not this machine/],
  ] as const)('not where its name has %s and the network is %s', async (address, network, text) => {
    const there = await open()
    const settings = toReceiver(`http://hooks.example.com:${there.port}/`, { network })
    expect(await send(settings, { addresses: [address] })).toEqual(refused(text))
    expect(there.received).toEqual([])
  })

  it('not where its name has an address inside beside one outside', async () => {
    const there = await open()
    const settings = toReceiver(`http://hooks.example.com:${there.port}/`, { network: 'public' })
    expect(await send(settings, { addresses: ['8.8.8.8', '127.0.0.1'] })).toEqual(refused(/this machine/))
    expect(there.received).toEqual([])
  })

  it('not where its name has no address', async () => {
    expect(await send(toReceiver('http://hooks.example.com/'), { addresses: [] })).toEqual(
      refused(/has no address/),
    )
  })

  it('to the address that was looked at, whatever the name means a moment later', async () => {
    const there = await open()
    let asked = 0
    // The system itself knows no such name: what is connected to can only be what was looked at.
    const resolve = () => {
      asked += 1
      return Promise.resolve(['127.0.0.1'])
    }
    const settings = toReceiver(`http://rebinding.invalid:${there.port}/hook`)
    const outcome = await webhook(settings, { clock: Date.now, resolve }).deliver(
      aLetter(),
      AbortSignal.timeout(5000),
    )
    expect([outcome, asked]).toEqual([{ kind: 'delivered' }, 1])
    expect(there.received[0]?.headers).toMatchObject({ host: `rebinding.invalid:${there.port}` })
  })

  it('anew at each attempt: a name that is rebound in between is refused', async () => {
    const there = await open((response) => response.writeHead(500).end())
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    const resolve = () => Promise.resolve(answers.shift() ?? [])
    const hook = webhook(toReceiver(`http://rebinding.invalid:${there.port}/`), { clock: Date.now, resolve })
    const signal = AbortSignal.timeout(5000)
    expect(await hook.deliver(aLetter(), signal)).toMatchObject({ text: 'The receiver answered 500.' })
    expect(await hook.deliver(aLetter(), signal)).toEqual(refused(/which is a private address/))
    expect(there.received).toHaveLength(1)
  })
})
