import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Forge, PullRequest } from '../../src/domain/delivery/forge.ts'
import { type ForgeKind, forgeKinds, type PullSettings } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { FetchDeps } from '../../src/forges/fetch.ts'
import { openForge } from '../../src/forges/open.ts'
import { forgeSettings, answer, forgeToken, type TestForge, testForge } from '../support/forge.ts'

const { signal } = new AbortController()
const request: PullRequest = {
  branch: 'cofferdam/abcdefghij',
  into: 'main',
  title: 'Mend the parser',
  body: '## Goal\n\nümlaut `x`',
  draft: true,
}

describe.each(forgeKinds)('%s', (kind: ForgeKind) => {
  let server: TestForge
  beforeEach(async () => {
    server = await testForge(kind)
  })
  afterEach(() => server[Symbol.asyncDispose]())

  const open = (more: Partial<PullSettings> = {}, deps: FetchDeps = {}): Promise<Forge> =>
    openForge(
      {
        ...forgeSettings(kind, server),
        ...more,
      },
      deps,
    )
  const failure = async (call: Promise<unknown>): Promise<Pick<Failure, 'code' | 'message'>> => {
    const error: unknown = await call.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof Failure)) throw new Error('it did not fail as it should', { cause: error })
    const { code, message } = error
    return { code, message }
  }

  it('opens a draft with title and body, finds it by its branch alone, and sees what becomes of it', async () => {
    const forge = await open()
    expect(await forge.find(request.branch, signal)).toEqual([])
    const opened = await forge.open(request, signal)
    expect(opened).toMatchObject({ number: 1, state: 'open' })
    expect(opened.url?.startsWith(server.origin)).toBe(true)
    const [kept] = server.pulls
    expect(kept).toMatchObject({ branch: request.branch, into: 'main', body: request.body, draft: true })
    expect(kept?.title).toContain(request.title)
    expect(await forge.find(request.branch, signal)).toEqual([{ ...opened, into: 'main' }])
    expect(await forge.find('cofferdam/other', signal)).toEqual([])
    // Whatever it is for.
    server.pulls.push({ ...request, into: 'next', number: 2, state: 'open' })
    expect((await forge.find(request.branch, signal)).map(({ into }) => into).toSorted()).toEqual([
      'main',
      'next',
    ])
    server.pulls.pop()
    for (const state of ['merged', 'closed'] as const) {
      if (kept !== undefined) kept.state = state
      expect(await forge.look(1, signal)).toMatchObject({ number: 1, state })
    }
    expect(await forge.find(request.branch, signal)).toEqual([])
  })

  it('is asked once whether the project is there for the token', async () => {
    await (await open()).reach(signal)
    const [asked] = server.asked
    expect([server.asked.length, asked?.method, asked?.path.split('?')[1] ?? '']).toEqual([1, 'GET', ''])
    const other = await open({ token: new Secret('forge', 'another') })
    expect((await failure(other.reach(signal))).message).toMatch(/does not take the token/)
    const elsewhere = await open({ project: 'ada/none' })
    expect((await failure(elsewhere.reach(signal))).message).toMatch(/has no ada\/none, or the token/)
    server.instead = (_, response) => {
      answer(response, 200, [])
      return true
    }
    expect((await failure((await open()).reach(signal))).message).toMatch(/not known/)
  })

  it('opens one that is no draft', async () => {
    await (await open()).open({ ...request, draft: false }, signal)
    expect(server.pulls[0]).toMatchObject({ title: request.title, draft: false })
  })

  it('finds one behind many others', async () => {
    const forge = await open()
    await forge.open(request, signal)
    for (let index = 0; index < 120; index += 1)
      server.pulls.push({ ...request, branch: `b${index}`, number: index + 2, state: 'open' })
    expect(await forge.find(request.branch, signal)).toMatchObject([{ number: 1 }])
  })

  it('takes none for its own that comes from a fork whose branch has the same name', async () => {
    const forge = await open()
    const foreign = { ...request, state: 'open', fork: true } as const
    server.pulls.push({ ...foreign, number: 1 })
    expect(await forge.find(request.branch, signal)).toEqual([])
    expect((await forge.open(request, signal)).number).toBe(2)
    server.pulls.push({ ...foreign, number: 3 })
    expect(await forge.find(request.branch, signal)).toMatchObject([{ number: 2 }])
  })

  it.each([
    [401, 'repository', /does not take the token: put another one in the environment variable FORGE/],
    [403, 'repository', /does not let the token .* It says: "No entry"/],
    [404, 'repository', /has no ada\/tools, or the token in .* may not see it/],
    [422, 'repository', /refuses that in ada\/tools \(422\)\. It says: "No entry"/],
    [301, 'repository', /sends whoever asks for ada\/tools to another address/],
    [429, 'busy', /does not answer as it should \(429\)/],
    [502, 'busy', /does not answer as it should \(502\)/],
  ] as const)('says of %i in one sentence what is wrong, and asks once', async (status, code, text) => {
    server.instead = (_, response) => {
      response.setHeader('location', 'http://127.0.0.1:1/')
      answer(response, status, { message: 'No entry' })
      return true
    }
    const failed = await failure((await open()).open(request, signal))
    expect([failed.code, failed.message]).toEqual([code, expect.stringMatching(text)])
    expect(failed.message).not.toContain(forgeToken)
    expect(server.asked).toHaveLength(1)
  })

  it.each(['[]', '{"number":"x"}', '<html>', ''])('does not take %j for an answer', async (text) => {
    server.instead = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text)
      return true
    }
    const failed = await failure((await open()).look(1, signal))
    expect(['repository', 'busy']).toContain(failed.code)
  })

  it('does not read an answer without end', async () => {
    server.instead = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): boolean => response.write('['.repeat(1 << 16))
      response.on('drain', more)
      while (more());
      return true
    }
    expect((await failure((await open()).look(1, signal))).message).toContain('answers with more than')
  })

  it('does not wait for ever', async () => {
    server.instead = () => true
    const failed = await failure((await open({}, { withinMs: 50 })).look(1, signal))
    expect(failed).toMatchObject({
      code: 'busy',
      message: expect.stringContaining('it took longer than 0.05 s'),
    })
  })

  it.each([
    ['999', 'HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}'],
    ['600', 'HTTP/1.1 600 Odd\r\ncontent-length: 2\r\n\r\n{}'],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
  ])('takes a status that is no answer for none: %s', async (status, head) => {
    server.instead = (_, response) => {
      response.socket?.end(head)
      return true
    }
    const failed = await failure((await open()).look(1, signal))
    expect(failed).toEqual({
      code: 'busy',
      message: expect.stringContaining(`answers with status ${status}`),
    })
  })

  it('asks no address of this machine where that is not configured, however its name is spelled', async () => {
    const named = server.address.replace('127.0.0.1', 'forge.test')
    const deps = { resolve: () => Promise.resolve(['127.0.0.1']) }
    const failed = await failure((await open({ network: 'public', address: named }, deps)).look(1, signal))
    expect(failed.message).toContain('forge.test leads to 127.0.0.1, which is this machine')
    const literal = await failure((await open({ network: 'private' })).look(1, signal))
    expect(literal.message).toContain('which is this machine')
    expect(server.asked).toEqual([])
    expect(await (await open({ address: named }, deps)).find('x', signal)).toEqual([])
  })

  it('shows no address that is none of the web', async () => {
    server.instead = (_, response) => {
      const url = 'javascript:alert(1)'
      answer(response, 200, {
        number: 3,
        iid: 3,
        html_url: url,
        web_url: url,
        state: kind === 'gitlab' ? 'opened' : 'open',
      })
      return true
    }
    expect(await (await open()).look(3, signal)).toEqual({ number: 3, url: null, state: 'open' })
  })

  it('can be asked behind a path', async () => {
    server.instead = (asked, response) => {
      answer(response, 404, { message: asked.path })
      return true
    }
    await failure((await open({ address: `${server.address}/sub/` })).look(1, signal))
    expect(server.asked[0]?.path.startsWith('/sub/')).toBe(true)
  })
})
