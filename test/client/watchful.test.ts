import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { type FetchLike, socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { undici } from '../../src/client/undici.ts'
import { watchful } from '../../src/client/watchful.ts'

const limits = { pingMs: 400, pings: 2 }
/** Longer than any silence that is borne. */
const long = 2000

// What takes long to be loaded at the first call.
beforeAll(() => void undici())

type Answering = (response: ServerResponse) => void

/** A server on a socket: `ping` answers the pings, `slow` everything else. */
async function talkingTo(ping: Answering, slow: Answering): Promise<FetchLike> {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-watchful-'))
  const server = createServer((request, response) => (request.url === '/healthz' ? ping : slow)(response))
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 's'), resolve)
  })
  const fetch = socketFetch(join(folder, 's'))
  onTestFinished(async () => {
    fetch[Symbol.dispose]()
    await closed(server)
    rmSync(folder, { recursive: true })
  })
  return watchful(fetch, limits)
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const answers: Answering = (response) => void response.end('{}')
const never: Answering = () => undefined
const late: Answering = (response) => void setTimeout(() => response.end('late'), long)
const lateBody: Answering = (response) => {
  response.write('first ')
  void setTimeout(() => response.end('late'), long)
}
const halfBody: Answering = (response) => void response.write('first ')

/** Every other one is lost. */
function lossy(): Answering {
  let count = 0
  return (response) => {
    count += 1
    if (count % 2 === 0) response.end('{}')
  }
}

const get = { method: 'GET', headers: {} } as const

it.each([
  ['takes long to answer', late, 'late'],
  ['takes long over the answer', lateBody, 'first late'],
])('one that %s and answers pings is waited for', async (_, slow, text) => {
  const fetch = await talkingTo(answers, slow)
  expect(await (await fetch('/diff', get)).text()).toBe(text)
})

it('one lost ping is none', async () => {
  const fetch = await talkingTo(lossy(), late)
  expect(await (await fetch('/diff', get)).text()).toBe('late')
})

it.each([
  ['does not answer', never],
  ['stops in the middle of the answer', halfBody],
])('one that %s and answers no pings is unreachable', async (_, slow) => {
  const fetch = await talkingTo(never, slow)
  const asked = fetch('/diff', get).then((answer) => answer.text())
  await expect(asked).rejects.toMatchObject({ name: 'Unreachable', sent: true })
})

it('a stream may be quiet while pings are answered, and no longer', async () => {
  let alive = true
  const fetch = await talkingTo((response) => alive && answers(response), halfBody)
  const reader = (await fetch('/stream', get)).body?.getReader()
  expect((await reader?.read())?.value).toBeInstanceOf(Uint8Array)
  const next = reader?.read().catch((error: unknown) => error)
  expect(await Promise.race([next, sleep(long, 'quiet')])).toBe('quiet')
  alive = false
  expect(await next).toBeInstanceOf(Unreachable)
  await reader?.cancel()
})
