import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { until } from '../../support/until.ts'
import { call, document, event, message, openProvider, stream, streamed, whole } from './provider.ts'

describe('what a call costs', () => {
  it.each<[string, object, { inputTokens: number; outputTokens: number; costUsd: number }]>([
    [
      'input and output',
      { input_tokens: 100, output_tokens: 50 },
      { inputTokens: 100, outputTokens: 50, costUsd: 0.2 },
    ],
    [
      'what was read from the cache and written to it',
      { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 1000, cache_creation_input_tokens: 100 },
      { inputTokens: 1110, outputTokens: 1, costUsd: 0.01 + 0.002 + 0.1 + 0.125 },
    ],
    [
      'what is kept for an hour, at twice the price of input, and once',
      {
        input_tokens: 0,
        output_tokens: 0,
        cache_creation_input_tokens: 100,
        cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 },
      },
      { inputTokens: 100, outputTokens: 0, costUsd: 40 * 0.001_25 + 60 * 0.002 },
    ],
  ])('%s', async (_what, usage, cost) => {
    const { lab } = await openProvider(whole(usage))
    expect((await call(lab)).status).toBe(200)
    const [spent] = lab.spent
    expect(lab.spent).toHaveLength(1)
    expect(spent).toMatchObject({ inputTokens: cost.inputTokens, outputTokens: cost.outputTokens })
    expect(spent?.costUsd).toBeCloseTo(cost.costUsd, 9)
    expect(lab.passage.counts()).toMatchObject({
      inputTokens: cost.inputTokens,
      outputTokens: cost.outputTokens,
    })
    expect(lab.passage.counts().costUsd).toBeCloseTo(cost.costUsd, 9)
  })

  it('is on record before the box has the end of the answer', async () => {
    let finish = (): void => undefined
    const { lab } = await openProvider((_request, response) => {
      const text = document({ input_tokens: 100, output_tokens: 50 })
      response.writeHead(200, { 'content-type': 'application/json' }).write(text.slice(0, -1))
      finish = () => response.end('}')
    })
    const asking = call(lab)
    await until(() => lab.spent.length > 0)
    finish()
    expect(JSON.parse((await asking).body)).toMatchObject({ usage: { output_tokens: 50 } })
  })

  it('is charged while the answer streams, and each token once, however the stream is cut', async () => {
    const bytes = Buffer.from(stream(100, ['Hällo ', 'wörld 🙂'], 40).join(''))
    for (const size of [1, 7, 4096]) {
      const { lab } = await openProvider((_request, response) => {
        void inPieces(bytes, size, response)
      })
      const reply = await call(lab, message({ stream: true }))
      expect(Buffer.from(reply.body, 'latin1')).toEqual(bytes)
      const sums = lab.spent.map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens])
      const sum = (at: 0 | 1): number => sums.reduce((all, each) => all + (each[at] ?? 0), 0)
      expect([sum(0), sum(1)]).toEqual([100, 40])
    }
  })

  it('comes event by event', async () => {
    const [first = '', ...rest] = stream(100, ['a'], 5)
    let go = (): void => undefined
    const { lab } = await openProvider((_request, response) => {
      response.writeHead(200, streamed).write(first)
      go = () => response.end(rest.join(''))
    })
    const wire = await lab.connect()
    const body = message({ stream: true })
    wire.send(
      `POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )
    await wire.until('message_start')
    expect(lab.spent).toEqual([{ inputTokens: 100, outputTokens: 1, costUsd: 0.102 }])
    go()
    expect(await wire.untilEnd()).toContain('message_stop')
  })
})

describe('an answer that is cut', () => {
  it.each<[string, readonly string[], number, number]>([
    // 50 is all that was asked for.
    ['before anything was reported', ['event: ping\ndata: {"type":"ping"}\n\n'], 0, 50],
    [
      'after some output, which is counted from its length',
      stream(100, ['x'.repeat(90)], 40).slice(0, 4),
      100,
      30,
    ],
    ['after its count', stream(100, ['x'], 40).slice(0, -1), 100, 40],
  ])('%s', async (_what, events, input, output) => {
    for (const who of ['provider', 'box'] as const) {
      const { lab } = await openProvider((_request, response) => {
        response.writeHead(200, streamed).write(events.join(''), () => {
          if (who === 'provider') setTimeout(() => response.destroy(), 30)
        })
      })
      const wire = await lab.connect()
      const body = message({ stream: true })
      wire.send(
        `POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      if (who === 'box') {
        await wire.until('\n\n\r\n')
        wire.socket.destroy()
      }
      await until(() => lab.decisions.length === 2)
      expect(lab.last()).toMatchObject({ verdict: 'failed', rule: 'broken' })
      const { inputTokens, outputTokens } = lab.passage.counts()
      if (input > 0) expect(inputTokens).toBe(input)
      else expect(inputTokens).toBeGreaterThan(10)
      expect(outputTokens).toBe(output)
    }
  })

  it('before it began, because the box went, costs all that was asked for', async () => {
    const { lab, web } = await openProvider(() => undefined)
    const wire = await lab.connect()
    const body = message()
    wire.send(
      `POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await until(() => web.seen.join('').includes('Hi'))
    wire.socket.destroy()
    await until(() => lab.decisions.length === 2)
    expect(lab.spent.map(({ outputTokens }) => outputTokens)).toEqual([50])
  })

  it('because nothing came for too long ends the call, and costs all that was asked for', async () => {
    const { lab } = await openProvider(() => undefined, { limits: { idleMs: 150 } })
    const reply = await call(lab)
    expect([reply.status, reply.headers['x-should-retry']]).toEqual([502, 'false'])
    expect(lab.spent.map(({ outputTokens }) => outputTokens)).toEqual([50])
  })

  it.each([
    ['no JSON', 'application/json', 'this is { not json'],
    ['no events', 'text/event-stream', 'event: message_start\ndata: {broken\n\n'],
    ['no usage', 'application/json', '{"type":"message","stop_reason":"end_turn"}'],
    [
      'a usage that is none',
      'application/json',
      '{"usage":{"input_tokens":"many","output_tokens":-4},"stop_reason":"x"}',
    ],
    [
      'a usage somewhere else',
      'application/json',
      '{"content":[{"usage":{"output_tokens":1}}],"stop_reason":"x"}',
    ],
  ])('is charged as a whole where it says %s', async (_what, type, text) => {
    const { lab } = await openProvider((_request, response) => {
      response.writeHead(200, { 'content-type': type }).end(text)
    })
    expect((await call(lab)).body).toBe(text)
    expect(lab.passage.counts().outputTokens).toBe(50)
  })
})

describe('a budget', () => {
  const usage = { input_tokens: 100, output_tokens: 50 }

  it.each([
    ['tokens', { tokens: 365, costUsd: null }],
    ['cost', { tokens: null, costUsd: 0.5 }],
  ] as const)('of %s that does not cover another call ends the calls', async (budget, left) => {
    const { lab, web } = await openProvider(whole(usage), { left })
    const replies = []
    for (let count = 0; count < 4; count += 1) replies.push(await call(lab))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 429, 429])
    expect(JSON.parse(replies[2]?.body ?? '')).toMatchObject({ error: { type: 'rate_limit_error' } })
    expect(replies[2]?.headers['x-should-retry']).toBe('false')
    expect(web.seen.join('').split('POST ')).toHaveLength(3)
    expect(lab.exhausted).toEqual([budget, budget])
    expect(lab.last()).toMatchObject({ verdict: 'denied', rule: 'budget' })
  })

  it('is held by what calls under way may come to', async () => {
    const going: (() => void)[] = []
    const { lab, web } = await openProvider(
      (request, response) => void going.push(() => whole(usage)(request, response, '')),
      { left: { tokens: 200, costUsd: null } },
    )
    const first = call(lab)
    const second = call(lab)
    await until(() => going.length === 2)
    const third = await call(lab)
    expect([third.status, third.headers['x-should-retry'], lab.last()?.rule]).toEqual([429, 'true', 'busy'])
    expect(web.seen.join('').split('POST ')).toHaveLength(3)
    // Nothing is used up yet, so nothing ends for it.
    expect(lab.exhausted).toEqual([])
    for (const go of going) go()
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    expect((await call(lab)).headers['x-should-retry']).toBe('false')
    expect(lab.exhausted).toEqual(['tokens'])
  })

  it('gets back what was set aside and not used', async () => {
    const { lab } = await openProvider(whole({ input_tokens: 10, output_tokens: 1 }), {
      left: { tokens: 120, costUsd: null },
    })
    for (let count = 0; count < 3; count += 1) expect((await call(lab)).status).toBe(200)
    expect(lab.purse.tokens).toBe(87)
  })

  it('gets it back too where the call failed', async () => {
    const { lab } = await openProvider((_request, response) => response.writeHead(500).end(), {
      left: { tokens: 100, costUsd: null },
    })
    for (let count = 0; count < 3; count += 1) expect((await call(lab)).status).toBe(500)
    expect([lab.purse.tokens, lab.exhausted]).toEqual([100, []])
  })

  it('that is reached in the middle of an answer lets it end, and no other begin', async () => {
    const events = stream(500, ['x'], 400)
    let go = (): void => undefined
    const { lab } = await openProvider(
      (_request, response) => {
        response.writeHead(200, streamed).write(events[0])
        go = () => response.end(events.slice(1).join(''))
      },
      { left: { tokens: 300, costUsd: null } },
    )
    const streaming = call(lab, message({ stream: true }))
    await until(() => lab.spent.length > 0)
    expect((await call(lab)).status).toBe(429)
    expect(lab.exhausted).toEqual(['tokens'])
    go()
    expect((await streaming).body).toContain('message_stop')
  })

  it('in money refuses a model without a price; one in tokens does not, and nobody knows the cost', async () => {
    const { lab, web } = await openProvider(whole(usage), { left: { tokens: null, costUsd: 100 } })
    const reply = await call(lab, message({ model: 'other' }))
    expect([reply.status, lab.last()?.rule, web.seen, lab.exhausted]).toEqual([403, 'no price', [], []])
    lab.purse.costUsd = null
    expect((await call(lab, message({ model: 'other' }))).status).toBe(200)
    expect(lab.spent).toEqual([{ inputTokens: 100, outputTokens: 50, costUsd: null }])
    expect(lab.passage.counts()).toMatchObject({ costUsd: null })
  })

  it('of nothing refuses everything that is paid, and counting and listing go on', async () => {
    const { lab } = await openProvider((_request, response) => response.end('{}'), {
      left: { tokens: 0, costUsd: 0 },
    })
    expect((await call(lab)).status).toBe(429)
    expect((await call(lab, message(), [], '/anthropic/v1/messages/count_tokens')).status).toBe(200)
    expect((await lab.ask('GET', '/anthropic/v1/models')).status).toBe(200)
  })
})

describe('an overseer that fails', () => {
  const fails = (): never => {
    throw new Error('the disk is full')
  }

  it('to say what is left: nothing is spent', async () => {
    const { lab, web } = await openProvider(whole({ output_tokens: 1 }), { overseer: { left: fails } })
    expect([(await call(lab)).status, web.seen]).toEqual([503, []])
    // The box did nothing wrong: it is no refusal that people are told of.
    expect(lab.last()).toMatchObject({ verdict: 'failed', rule: 'no record' })
    expect(lab.passage.counts().denied).toBe(0)
  })

  it('to record the call: it is not made', async () => {
    const { lab, web } = await openProvider(whole({ output_tokens: 1 }), { overseer: { decided: fails } })
    expect([(await call(lab)).status, web.seen]).toEqual([503, []])
  })

  it('to charge: the answer stops, and nothing is spent any more', async () => {
    const { lab, web } = await openProvider(
      (_request, response) => {
        response
          .writeHead(200, streamed)
          .write(event('message_start', { message: { usage: { input_tokens: 9 } } }))
        setTimeout(() => response.end(stream(9, ['the rest'], 9).slice(1).join('')), 50)
      },
      { overseer: { spent: fails } },
    )
    expect((await call(lab, message({ stream: true }))).body).not.toContain('the rest')
    const before = web.seen.join('')
    expect((await call(lab)).status).toBe(503)
    expect(web.seen.join('')).toBe(before)
  })
})

async function inPieces(bytes: Buffer, size: number, response: ServerResponse): Promise<void> {
  response.writeHead(200, streamed)
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size))
    if (at % 64 === 0) await sleep(0)
  }
  response.end()
}
