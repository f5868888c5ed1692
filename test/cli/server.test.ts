import { createServer, type RequestListener, type Server } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applies, worksForever } from '../support/scripted-plane.ts'
import { type Command, scriptedMachine, type ScriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
let server: Command
let origin: string
let token: string

beforeEach(async () => {
  machine = scriptedMachine(applies)
  const config = join(machine.folder, 'c.yaml')
  writeFileSync(config, 'http: { listen: 0 }\n')
  server = machine.start(['serve', '--config', config, '--json'])
  await server.printed('"serving"')
  origin = /"origin":"([^"]+)"/.exec(server.out())?.[1] ?? ''
  token = (await machine.run(['token', 'create', 'me', '--role', 'owner'])).out.trim()
})
afterEach(async () => {
  server.signal('SIGTERM')
  await server.code
  machine.remove()
})

/** A command that asks the server, from a machine whose data folder is another. */
const afar = (args: readonly string[], env: Record<string, string> = {}) =>
  machine.run(args, {
    env: {
      COFFERDAM_SERVER: origin,
      COFFERDAM_TOKEN: token,
      COFFERDAM_DATA: join(machine.folder, 'elsewhere'),
      ...env,
    },
    patience: { pingMs: 300, pings: 1 },
  })

async function answering(listener: RequestListener): Promise<Server & { origin: string }> {
  const other = createServer(listener)
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
  const at = other.address()
  return Object.assign(other, { origin: `http://127.0.0.1:${typeof at === 'object' ? at?.port : 0}` })
}

describe('a server', () => {
  it('answers every command as the data folder does', { timeout: 30_000 }, async () => {
    const draft = await afar(['run', '--repo', '/r', '--goal', 'sudo do it', '--json', '--', 'true'])
    expect(draft.code).toBe(3)
    const id = /"id":"([a-z2-7]{10})"/.exec(draft.out)?.[1] ?? ''
    for (const args of [
      ['task', 'list'],
      ['task', 'list', '--json'],
      ['task', 'show', id, '--json'],
      ['task', 'logs', id],
      ['task', 'diff', id],
      ['task', 'egress', id],
      ['verify', id],
      ['verify', '--export-key'],
      ['explain', '--repo', '/r', '--goal', 'do it', '--', 'true'],
      ['token', 'list', '--json'],
      ['audit', '--json'],
      ['task', 'show', 'aaaaaaaaaa'],
    ]) {
      expect([args, await afar(args)]).toEqual([args, await machine.run(args)])
    }
    const approved = await afar(['task', 'approve', id])
    expect([approved.code, approved.out]).toEqual([0, expect.stringContaining('APPLIED')])
    const shown = await machine.run(['task', 'show', id, '--json'])
    expect(shown.out).toContain('"kind":"token","id":"me"')
    expect((await afar(['doctor'])).out).toContain(`${origin} answers`)
  })

  it('is named in the commands that are suggested', async () => {
    const { out } = await afar(['run', '--repo', '/r', '--goal', 'sudo x', '--server', origin, '--', 'true'])
    expect(out).toContain(`--server ${origin}`)
  })

  it('is named in the sentences of others, unless they are for its own machine', async () => {
    const unknown = await afar(['task', 'show', 'aaaaaaaaaa', '--server', origin])
    expect(unknown.error).toContain(`\`cofferdam task list --server ${origin}\` shows`)
    const task = ['--repo', '/r', '--goal', 'x', '--', 'true']
    const made = await afar(['schedule', 'add', 'nightly', '--every', '6h', '--server', origin, ...task])
    expect(made.out).toContain('takes place where `cofferdam serve` runs')
  })

  it('B24 refuses what a token is not for, and has it on record', async () => {
    const viewer = (await afar(['token', 'create', 'eyes', '--role', 'viewer'])).out.trim()
    const refused = await afar(['run', '--repo', '/r', '--goal', 'x', '--', 'true'], {
      COFFERDAM_TOKEN: viewer,
    })
    expect([refused.code, refused.error]).toEqual([2, expect.stringContaining('The token eyes is for read')])
    expect((await afar(['audit', '--outcome', 'refused'])).out).toMatch(
      /refused +token eyes +POST \/v1\/tasks/,
    )
    expect((await afar(['token', 'revoke', 'eyes'])).out).toBe('The token eyes is revoked.\n')
    const gone = await afar(['task', 'list'], { COFFERDAM_TOKEN: viewer })
    expect([gone.code, gone.error]).toEqual([2, expect.stringContaining('The token eyes is revoked')])
  })

  it.each<[string, Record<string, string>, readonly string[], number, RegExp]>([
    [
      'that is down',
      { COFFERDAM_SERVER: 'http://127.0.0.1:9' },
      [],
      7,
      /No server answers at http:\/\/127\.0\.0\.1:9/,
    ],
    ['without a token', { COFFERDAM_TOKEN: '' }, [], 2, /set COFFERDAM_TOKEN/],
    ['with a wrong token', { COFFERDAM_TOKEN: 'cfd_no' }, [], 2, /not known here/],
    ['over http elsewhere', { COFFERDAM_SERVER: 'http://192.0.2.1' }, [], 2, /unencrypted/],
    ['with no address', { COFFERDAM_SERVER: 'here' }, [], 2, /no address of a server/],
    ['and a data folder', {}, ['--server', 'http://127.0.0.1:9', '--data', 'x'], 2, /give one of them/],
  ])('%s is told in a sentence', async (_name, env, more, code, text) => {
    const ended = await afar(['task', 'list', ...more], env)
    expect([ended.code, ended.error]).toEqual([code, expect.stringMatching(text)])
    expect(ended.error).not.toMatch(/bug/)
  })

  it.each<[string, RequestListener]>([
    ['says something else', (_, response) => void response.end('{"status":"ok"}')],
    ['knows no such path', (_, response) => void response.writeHead(404).end('Not found')],
    ['leads elsewhere', (_, response) => void response.writeHead(302, { location: '/login' }).end()],
  ])('that is another program, and %s, never sees the token', async (_name, listener) => {
    const seen: unknown[] = []
    const other = await answering((request, response) => {
      seen.push(request.headers.authorization)
      listener(request, response)
    })
    const ended = await afar(['task', 'list'], { COFFERDAM_SERVER: other.origin })
    expect([ended.code, ended.error]).toEqual([7, expect.stringMatching(/is no Cofferdam/)])
    expect(seen).toEqual([undefined])
    other.close()
  })

  it('whose TLS is not to be trusted is told in a sentence', async () => {
    const ended = await afar(['task', 'list'], { COFFERDAM_SERVER: origin.replace('http:', 'https:') })
    expect([ended.code, ended.error]).toEqual([7, expect.stringMatching(/TLS with https:.* fails/)])
  })
})

describe('a server that goes away', () => {
  it('is said to go on with a task, is looked for a while, and then told of in a sentence', async () => {
    const still = scriptedMachine(worksForever)
    const config = join(still.folder, 'c.yaml')
    writeFileSync(config, 'http: { listen: 0 }\n')
    const one = still.start(['serve', '--config', config, '--json'])
    await one.printed('"serving"')
    const at = /"origin":"([^"]+)"/.exec(one.out())?.[1] ?? ''
    const secret = (await still.run(['token', 'create', 'me', '--role', 'owner'])).out.trim()
    const followed = still.start(['run', '--repo', '/r', '--goal', 'x', '--', 'true'], {
      env: { COFFERDAM_SERVER: at, COFFERDAM_TOKEN: secret },
      patience: { pingMs: 200, pings: 1 },
    })
    await followed.printed('working')
    const id = /Task ([a-z2-7]{10})/.exec(followed.out())?.[1] ?? ''
    const watching = still.start(['task', 'watch', id], {
      env: { COFFERDAM_SERVER: at, COFFERDAM_TOKEN: secret },
    })
    await watching.printed('Step 1/8')
    watching.signal('SIGINT')
    expect([await watching.code, watching.out()]).toEqual([
      130,
      expect.stringContaining(`Task ${id} goes on at ${at}.`),
    ])
    await one.kill()
    expect(await followed.code).toBe(7)
    expect(followed.error()).toMatch(/No server answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/)
    still.remove()
  })
})

describe('a token of the command line', () => {
  it.each([
    [['--role', 'king'], /--role takes one of owner, operator, viewer/],
    [['--scopes', 'read,write'], /--scopes takes some of/],
    [['--expires', 'soon'], /--expires takes how long/],
    [['--expires', '2001-01-01'], /--expires takes how long/],
  ])('with %j is refused', async (more, text) => {
    const ended = await machine.run(['token', 'create', 'x', ...more])
    expect([ended.code, ended.error]).toEqual([2, expect.stringMatching(text)])
  })

  it('is listed without its secret', async () => {
    const { out } = await machine.run(['token', 'list'])
    expect(out).toMatch(
      /^NAME +ROLE +SCOPES +STATE +EXPIRES +LAST USED +ID\nme +owner +read,create,decide,admin +good/,
    )
    expect(out).not.toContain(token.split('_')[2])
  })
})
