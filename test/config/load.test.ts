import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { around, scratch } from './support.ts'

function withFile(text: string): string {
  const home = scratch()
  writeFileSync(join(home, 'c.yaml'), text)
  return home
}

test('without a file everything has a default', () => {
  const home = scratch()
  const config = loadConfig({}, around(home))
  expect(config).toMatchObject({
    file: null,
    dataFolder: join(home, '.local/share/cofferdam/.workspace'),
    box: { uid: 1000, gid: 1000 },
    concurrency: 2,
    tasks: { budget: { steps: 8, seconds: 1200 }, agent: null, answerer: null, policy: defaultPolicy },
    repositories: {},
    logLevel: 'info',
  })
})

test('this process has a configuration too', () => {
  expect(loadConfig({ data: scratch() }, { ...thisProcess(), home: scratch(), env: {} }).concurrency).toBe(2)
})

test('nothing of it can be changed', () => {
  const config = loadConfig({}, around(scratch()))
  expect(() => Object.assign(config.tasks.policy.limits, { pids: 1 })).toThrow(TypeError)
  expect(() => Object.assign(config, { concurrency: 1 })).toThrow(TypeError)
})

describe('the data folder', () => {
  test('is not the default one where an empty name is given', () => {
    expect(() => loadConfig({ data: '' }, around(scratch()))).toThrow(/--data is empty/)
  })

  test.each<[string, string | undefined, Record<string, string>, string, string]>([
    ['the flag first', 'flag', { COFFERDAM_DATA: '/env' }, 'data: /conf', 'HOME/flag'],
    ['then the environment', undefined, { COFFERDAM_DATA: '/env' }, 'data: /conf', '/env'],
    ['seen from the current folder', undefined, { COFFERDAM_DATA: 'env' }, '', 'HOME/env'],
    ['then the configuration', undefined, { XDG_DATA_HOME: '/xdg' }, 'data: /conf', '/conf'],
    ['seen from its folder', undefined, {}, 'data: conf', 'HOME/conf'],
    ['with the home', undefined, {}, 'data: ~/conf', 'HOME/conf'],
    ["then the user's own", undefined, { XDG_DATA_HOME: '/xdg' }, '', '/xdg/cofferdam/.workspace'],
    [
      'a relative XDG folder does not count',
      undefined,
      { XDG_DATA_HOME: 'x' },
      '',
      'HOME/.local/share/cofferdam/.workspace',
    ],
    ['an empty variable does not count', undefined, { COFFERDAM_DATA: '' }, 'data: /conf', '/conf'],
  ])('%s', (_name, data, env, text, expected) => {
    const home = withFile(text)
    const config = loadConfig({ data, config: 'c.yaml' }, around(home, { env }))
    expect(config.dataFolder).toBe(expected.replace('HOME', home))
  })
})

describe('the configuration file', () => {
  test('by flag, by variable, or at its usual place', () => {
    const home = withFile('concurrency: 3')
    mkdirSync(join(home, '.config/cofferdam'), { recursive: true })
    writeFileSync(join(home, '.config/cofferdam/cofferdam.yaml'), 'concurrency: 4')
    writeFileSync(join(home, 'd.yaml'), 'concurrency: 5')
    const env = { COFFERDAM_CONFIG: join(home, 'c.yaml') }
    expect(loadConfig({}, around(home)).concurrency).toBe(4)
    expect(loadConfig({}, around(home, { env })).concurrency).toBe(3)
    expect(loadConfig({ config: 'd.yaml' }, around(home, { env })).concurrency).toBe(5)
  })

  test('one that was named has to be there', () => {
    expect(() => loadConfig({ config: 'none.yaml' }, around(scratch()))).toThrow(/cannot be read/)
  })

  test('is not looked for in the current folder, which may be a worktree', () => {
    const home = scratch()
    writeFileSync(join(home, 'cofferdam.yaml'), 'concurrency: 7')
    expect(loadConfig({}, around(home)).concurrency).toBe(2)
  })
})

describe('the folder for sockets', () => {
  test('root takes /run, whatever the session', () => {
    const config = loadConfig(
      { data: '/d' },
      around(scratch(), { uid: 0, env: { XDG_RUNTIME_DIR: '/run/user/0' } }),
    )
    expect(config.runtimeFolder).toMatch(/^\/run\/cofferdam\/[0-9a-f]{8}$/)
  })

  test("a user's own, where it exists", () => {
    const run = scratch()
    const env = { XDG_RUNTIME_DIR: run }
    expect(loadConfig({}, around(run, { env })).runtimeFolder.startsWith(`${run}/cofferdam/`)).toBe(true)
    const gone = { XDG_RUNTIME_DIR: `${run}/gone` }
    expect(loadConfig({}, around(run, { env: gone })).runtimeFolder.startsWith('/tmp/cofferdam-1000/')).toBe(
      true,
    )
  })

  test('is its own for every data folder, by whatever way that is named', () => {
    const home = scratch()
    mkdirSync(join(home, 'a'))
    symlinkSync(join(home, 'a'), join(home, 'b'))
    const folder = (data: string): string => loadConfig({ data }, around(home)).runtimeFolder
    expect(folder('b')).toBe(folder('a'))
    expect(folder('b/new')).toBe(folder('a/new'))
    expect(folder('a/new')).not.toBe(folder('a'))
  })

  test('one that is too long for a socket is refused', () => {
    const env = { COFFERDAM_RUNTIME: `/run/${'x'.repeat(80)}` }
    expect(() => loadConfig({}, around(scratch(), { env }))).toThrow(
      /more than 90 bytes: name a shorter folder/,
    )
  })
})

describe('the engine', () => {
  test.each<[Record<string, string>, string, string]>([
    [{ DOCKER_HOST: 'unix:///run/other.sock' }, '', '/run/other.sock'],
    [{ DOCKER_HOST: 'tcp://x:2375' }, 'engine: { socket: /run/mine.sock }', '/run/mine.sock'],
    [{ DOCKER_HOST: '' }, 'engine: { socket: mine.sock }', 'HOME/mine.sock'],
    [{}, "engine: { socket: 'unix:///run/mine.sock' }", '/run/mine.sock'],
  ])('%j %s', (env, text, expected) => {
    const home = withFile(text)
    const config = loadConfig({ config: 'c.yaml' }, around(home, { env }))
    expect(config.engine.socket).toBe(expected.replace('HOME', home))
  })

  test('another machine will not do', () => {
    const env = { DOCKER_HOST: 'ssh://me@host' }
    expect(() => loadConfig({}, around(scratch(), { env }))).toThrow(
      /DOCKER_HOST is ssh:\/\/me@host, but only/,
    )
    const home = withFile("engine: { socket: 'tcp://host:2375' }")
    expect(() => loadConfig({ config: 'c.yaml' }, around(home))).toThrow(
      /engine\.socket is tcp:\/\/host:2375, but only/,
    )
  })
})

describe('boxes', () => {
  test('of root belong to nobody on the host, or to whom the configuration says', () => {
    const root = { uid: 0, gid: 0 }
    expect(loadConfig({}, around(scratch(), root)).box).toEqual({ uid: 10_001, gid: 10_001 })
    const home = withFile('box: { uid: 2000 }')
    expect(loadConfig({ config: 'c.yaml' }, around(home, root)).box).toEqual({ uid: 2000, gid: 2000 })
  })

  test('of a user are its own', () => {
    const home = withFile('box: { uid: 2000 }')
    expect(() => loadConfig({ config: 'c.yaml' }, around(home))).toThrow(
      /Only root can run boxes as another user/,
    )
  })

  test('never ask for more processors than there are', () => {
    expect(loadConfig({}, around(scratch(), { cpus: 1 })).tasks.policy.limits.cpus).toBe(1)
  })
})

describe('tasks', () => {
  const text = `
task: { steps: 4, minutes: 7.5, agent: { name: command, argv: [make, fix] } }
policy: { deny: [secrets/], limits: { pids: 100 } }
repositories:
  real: { setup: npm ci, test: npm test, policy: { open: [AGENTS.md] } }
  ~/gone: {}
`
  test('have what is configured', () => {
    const home = withFile(text)
    const { tasks } = loadConfig({ config: 'c.yaml' }, around(home))
    expect(tasks.budget).toEqual({ steps: 4, seconds: 450, tokens: null, costUsd: null })
    expect(tasks.agent).toEqual({ name: 'command', argv: ['make', 'fix'] })
    expect(tasks.policy.deny).toContain('secrets/')
    expect(tasks.policy.limits.pids).toBe(100)
  })

  test('on a repository have what is configured for it, under its resolved path', () => {
    const home = withFile(text)
    mkdirSync(join(home, 'elsewhere'))
    symlinkSync('elsewhere', join(home, 'real'))
    const { repositories } = loadConfig({ config: 'c.yaml' }, around(home))
    expect(Object.keys(repositories)).toEqual([join(home, 'elsewhere'), join(home, 'gone')])
    expect(repositories[join(home, 'elsewhere')]).toMatchObject({ setup: 'npm ci', test: 'npm test' })
    expect(repositories[join(home, 'gone')]).toEqual({})
  })

  test('a policy that cannot be had is refused', () => {
    const home = withFile('policy: { open: [src] }')
    expect(() => loadConfig({ config: 'c.yaml' }, around(home))).toThrow(
      /c\.yaml cannot be used\. The policy cannot open "src"/,
    )
    const other = withFile('repositories: { /a: { policy: { readonly: [.git] } } }')
    expect(() => loadConfig({ config: 'c.yaml' }, around(other))).toThrow(/cannot make "\.git" readonly/)
  })
})

describe('the API over TCP', () => {
  test('is not offered unless it is asked for', () => {
    expect(loadConfig({}, around(scratch())).http).toBeNull()
  })

  test.each<[string, object]>([
    ['{}', { address: '127.0.0.1', port: 7878, tls: null, proxyTls: false }],
    ['{ listen: 9000 }', { address: '127.0.0.1', port: 9000 }],
    ['{ listen: "localhost:9000" }', { address: '127.0.0.1', port: 9000 }],
    ['{ listen: "[::1]:9000" }', { address: '::1', port: 9000 }],
    ['{ listen: "0.0.0.0:443", proxyTls: true }', { address: '0.0.0.0', port: 443, proxyTls: true }],
    ['{ perMinute: { reads: 5 } }', { perMinute: { reads: 5, calls: 30_000, failures: 20 } }],
  ])('%s', (text, expected) => {
    const home = withFile(`http: ${text}\n`)
    expect(loadConfig({ config: join(home, 'c.yaml') }, around(home)).http).toMatchObject(expected)
  })

  test.each(['{ listen: "cofferdam.example.com:80" }', '{ listen: "1.2.3.4" }', '{ listen: "::1:80:x" }'])(
    'is refused at %s',
    (text) => {
      const home = withFile(`http: ${text}\n`)
      expect(() => loadConfig({ config: join(home, 'c.yaml') }, around(home))).toThrow(/give an IP address/)
    },
  )

  test('has its certificate beside the configuration', () => {
    const home = withFile('http: { tls: { cert: a.pem, key: b.pem } }\n')
    const { http } = loadConfig({ config: join(home, 'c.yaml') }, around(home))
    expect(http?.tls).toEqual({ cert: join(home, 'a.pem'), key: join(home, 'b.pem') })
  })
})
