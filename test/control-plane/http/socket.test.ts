import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anyLength } from '../../../control-plane/http/any-length.ts'
import { serveSocket } from '../../../control-plane/http/socket.ts'
import { problemSchema } from '../../../src/domain/answers.ts'
import { socketFetch, Unreachable } from '../../../src/client/fetch.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-socket-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const app = new Hono().get('/hello', (context) => context.text('hello'))

async function hello(path: string): Promise<string> {
  using fetch = socketFetch(path)
  return (await fetch('/hello', { method: 'GET', headers: {} })).text()
}

describe('the control socket', () => {
  it('is for its owner alone, and gone afterwards', async () => {
    const path = join(folder, 'new', 'control.sock')
    const server = await serveSocket(app, path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
    expect(await hello(path)).toBe('hello')
    await server[Symbol.asyncDispose]()
    await expect(hello(path)).rejects.toThrow(Unreachable)
    await expect(hello(path)).rejects.toMatchObject({ sent: false })
  })

  it('takes the place of a socket whose process is gone', async () => {
    const path = join(folder, 'control.sock')
    // Its path is lost to a rename, so closing it leaves the file behind, as a killed process does.
    const dead = createServer().listen(`${path}.dead`)
    await new Promise((resolve) => dead.once('listening', resolve))
    renameSync(`${path}.dead`, path)
    await new Promise((resolve) => dead.close(resolve))
    await expect(hello(path)).rejects.toMatchObject({ sent: false })
    await using _ = await serveSocket(app, path)
    expect(await hello(path)).toBe('hello')
  })

  it('takes a request that does not say how long it is', async () => {
    const path = join(folder, 'control.sock')
    const limited = new Hono().use(anyLength).use(bodyLimit({ maxSize: 10 }))
    limited.post('/hello', async (context) => context.text(await context.req.text()))
    await using _ = await serveSocket(limited, path)
    const send = (method: string, parts: readonly string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const call = request({ socketPath: path, method, path: '/hello' }, (answer) => resolve(text(answer)))
        call.on('error', reject)
        for (const part of parts) call.write(part)
        call.end()
      })
    expect(await send('POST', ['hel', 'lo'])).toBe('hello')
    expect(await send('DELETE', [])).toBe('404 Not Found')
  })

  it('answers a request to a host that none can be as it answers every error', async () => {
    const path = join(folder, 'control.sock')
    await using _ = await serveSocket(app, path)
    const answered = await new Promise<string>((resolve, reject) => {
      const call = request({ socketPath: path, path: '/hello', headers: { host: 'a b' } }, (answer) => {
        expect([answer.statusCode, answer.headers['content-type']]).toEqual([400, 'application/problem+json'])
        resolve(text(answer))
      })
      call.on('error', reject).end()
    })
    expect(problemSchema.parse(JSON.parse(answered)).code).toBe('bad_request')
  })

  it('removes nothing that is no socket', async () => {
    const path = join(folder, 'control.sock')
    writeFileSync(path, 'mine')
    await expect(serveSocket(app, path)).rejects.toThrow(/in the way/)
  })

  it('ends open answers when it is disposed of', async () => {
    const path = join(folder, 'control.sock')
    const endless = new Hono().get('/hello', (context) =>
      context.body(new ReadableStream({ start: (c) => c.enqueue('x') })),
    )
    const server = await serveSocket(endless, path)
    const answer = hello(path)
    setTimeout(() => void server[Symbol.asyncDispose](), 100)
    await expect(answer).rejects.toThrow(/terminated/)
  })
})
