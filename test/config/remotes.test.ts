import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { around, scratch } from './support.ts'

/** A configuration in `~/c.yaml`, beside a folder `shop`. */
function loaded(text: string, env: Record<string, string> = {}): { home: string; config: () => Config } {
  const home = scratch()
  mkdirSync(join(home, 'shop'))
  symlinkSync('shop', join(home, 'link'))
  writeFileSync(join(home, 'c.yaml'), text)
  return { home, config: () => loadConfig({ config: 'c.yaml' }, around(home, { env })) }
}

const url = 'https://git.example.com/acme/shop.git'

it('names a repository by URL, beside those by path, each with what holds for it', () => {
  const { home, config } = loaded(
    `repositories:
  shop: { url: "${url}", login: { password: { env: SHOP } }, test: npm test, budget: { steps: 3, minutes: 5 } }
  ~/link: { setup: npm ci }
schedules: { nightly: { every: 6h, task: { goal: Tidy up, repository: shop } } }
discord: { guild: "100000000000000001", channel: "100000000000000002", listen: { "100000000000000003": { repository: shop } } }
`,
    { SHOP: 'a-token-of-shop' },
  )
  const { discord, remotes, repositories, schedules, secrets } = config()
  expect(repositories).toEqual({
    shop: { test: 'npm test', budget: { steps: 3, seconds: 300 } },
    [join(home, 'shop')]: { setup: 'npm ci' },
  })
  expect(remotes).toMatchObject([
    {
      name: 'shop',
      url,
      login: { user: 'git', from: 'the environment variable SHOP' },
      ssh: null,
      away: 'wait',
      fetchMs: 60_000,
      cloneMs: 3_600_000,
      mostMb: 10_240,
    },
  ])
  expect(schedules[0]?.task.repository).toBe('shop')
  expect(discord?.listen[0]?.repository).toBe('shop')
  expect(remotes[0]?.login?.password?.reveal()).toBe('a-token-of-shop')
  expect(secrets.map((secret) => secret.reveal())).toContain('a-token-of-shop')
  expect(JSON.stringify(config())).not.toContain('a-token-of-shop')
})

it('takes a password from a file, and starts without a variable that is not set', () => {
  const { home, config } = loaded(
    `repositories:
  a: { url: "${url}", login: { user: bot, password: { file: token } } }
  b: { url: "${url}", login: { password: { env: NONE } } }
  c: { url: "ssh://git@git.example.com/c.git", ssh: { key: ~/.ssh/key, knownHosts: hosts }, fetch: { away: continue, seconds: 5 } }
  d: { url: "file:///srv/d.git" }
  e: { url: "http://127.0.0.1:8080/e.git" }
`,
  )
  writeFileSync(join(home, 'token'), 'of-the-file\n')
  const [a, b, c, d] = config().remotes
  expect([a?.login?.user, a?.login?.password?.reveal()]).toEqual(['bot', 'of-the-file'])
  expect(b?.login).toEqual({ user: 'git', password: null, from: 'the environment variable NONE' })
  expect(c).toMatchObject({
    ssh: { key: join(home, '.ssh/key'), knownHosts: join(home, 'hosts') },
    away: 'continue',
    fetchMs: 5000,
  })
  expect(d).toMatchObject({ login: null, ssh: null })
})

it.each([
  [`~/shop: { url: "${url}" }`, 'A repository by URL has a name'],
  [`../shop: { url: "${url}" }`, 'A repository by URL has a name'],
  ['shop: { login: { password: { env: X } } }', '"login" is for a repository by URL'],
  ['shop: { fetch: { away: wait } }', '"fetch" is for a repository by URL'],
  ['shop: { url: "git@git.example.com:acme/shop.git" }', 'no URL such as https://host/path.git or ssh://'],
  ['shop: { url: "https://bob:secret-word@git.example.com/shop.git" }', 'must not hold a user or a password'],
  ['shop: { url: "https://bob@git.example.com/shop.git" }', 'must not hold a user or a password'],
  ['shop: { url: "https://git.example.com/shop.git?token=1" }', 'must not hold a "?" or a "#"'],
  ['shop: { url: "https://git.example.com/" }', 'names a host and no repository'],
  ['shop: { url: "http://git.example.com/shop.git" }', 'write https://'],
  ['shop: { url: "ext::sh -c id" }', 'no URL such as'],
  ['shop: { url: "ext:id" }', 'git is let use only https, ssh and file'],
  ['shop: { url: "git://git.example.com/shop.git" }', 'git is let use only https, ssh and file'],
  ['shop: { url: "file://host/srv/shop.git" }', 'begins with file:///'],
  ['shop: { url: "ssh://git.example.com/shop.git" }', 'needs ssh: { key: PATH, knownHosts: PATH }'],
  [
    'shop: { url: "ssh://-oProxyCommand=id/shop.git", ssh: { key: k, knownHosts: h } }',
    /must not begin with "-"|no URL such as/,
  ],
  [
    'shop: { url: "ssh://git@git.example.com/shop.git", ssh: { key: "k -o x", knownHosts: h } }',
    'must not hold spaces',
  ],
  [`shop: { url: "${url}", ssh: { key: k, knownHosts: h } }`, '"ssh" is for a URL that begins with ssh://'],
  [`shop: { url: "file:///srv/x.git", login: { password: { env: X } } }`, '"login" is for a URL'],
  [`shop: { url: "${url}", login: { user: "a:b", password: { env: X } } }`, 'without spaces and ":"'],
  [`shop: { url: "${url}", fetch: { away: never } }`, '"away" is one of wait, continue'],
])('refuses %j', (repository, said) => {
  const { config } = loaded(`repositories: { ${repository} }`)
  expect(config).toThrow(said)
})

it('says no password of a URL that it refuses', () => {
  const { config } = loaded(
    'repositories: { shop: { url: "https://bob:secret-word@git.example.com/s.git" } }',
  )
  expect(config).toThrow(/^(?!.*secret-word)/s)
})
