import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { until } from '../support/until.ts'
import type { Lab } from './lab.ts'
import { call, openProvider, whole } from './upstreams/provider.ts'

// Some programs ask a provider that lets nothing through again and again, and say nothing.

const many = (what: string, times: number): string => `${what} `.repeat(times)

/** Asks once for each word, which is how the provider answers. */
async function asking(words: string): Promise<Lab> {
  const plan = words.trim().split(' ')
  const { lab } = await openProvider((request, response, sent) => {
    const word = plan.shift()
    if (word === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
      response.write('{', () => response.destroy())
    } else if (word === 'gone') response.destroy()
    else if (word === '200') whole({ input_tokens: 1, output_tokens: 1 })(request, response, sent)
    else response.writeHead(Number(word), { 'content-type': 'application/json' }).end('{"type":"error"}')
  })
  while (plan.length > 0) await call(lab)
  return lab
}

const overload = 'The provider anthropic is overloaded or down. It turned 6 calls in a row away'
it.each([
  [
    '529 in a row',
    many('529', 6),
    'overload',
    `${overload}, the last with status 529, so the box was ended.`,
  ],
  [
    'calls that break',
    many('gone', 6),
    'overload',
    `${overload}, the last without a whole answer, so the box was ended.`,
  ],
  [
    'answers that break off',
    many('cut', 6),
    'overload',
    `${overload}, the last without a whole answer, so the box was ended.`,
  ],
  [
    'the last of them a limit of the rate',
    `${many('503', 5)}429`,
    'rate_limit',
    'The provider anthropic limits the rate of calls. It turned 6 calls in a row away, the last with status 429, so the box was ended.',
  ],
  [
    'others between',
    `${many('500', 3)}400 404 ${many('500', 3)}`,
    'overload',
    expect.stringContaining(overload),
  ],
])('six that its provider turns away end a box: %s', async (_, words, kind, text) => {
  const { unavailable } = await asking(words)
  expect(unavailable).toEqual([{ upstream: 'anthropic', kind, text }])
})

it.each([
  ['five of them', many('529', 5)],
  ['an answer between', `${many('529', 5)}200 ${many('529', 5)}`],
  ['another mistake', many('400', 20)],
])('fewer do not: %s', async (_, words) => {
  expect((await asking(words)).unavailable).toEqual([])
})

it('is told once', async () => {
  expect((await asking(many('529', 25))).unavailable).toHaveLength(1)
})

it('those that are made at once and turned away together count as one', async () => {
  const waiting: ServerResponse[] = []
  const { lab } = await openProvider((_, response) => void waiting.push(response))
  for (const round of [1, 2]) {
    const asked = Array.from({ length: 12 }, () => call(lab))
    await until(() => waiting.length === 12)
    for (const response of waiting.splice(0)) response.writeHead(529).end()
    expect([round, new Set((await Promise.all(asked)).map(({ status }) => status))]).toEqual([
      round,
      new Set([529]),
    ])
  }
  expect(lab.unavailable).toEqual([])
})
