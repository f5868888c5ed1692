import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { DeliveryDefaults } from '../../src/domain/delivery/merge.ts'
import { around, scratch } from './support.ts'

const env = { GITHUB_TOKEN: 'ghp_0123456789', GITLAB_TOKEN: 'glpat_0123456789', FORGE: 'another-0123456789' }

function load(lines: readonly string[], above: readonly string[] = []) {
  const home = scratch()
  const own = [...above, 'delivery:', ...lines.map((line) => `  ${line}`)]
  const text = ['repositories:', '  repo:', ...own.map((line) => `    ${line}`)].join('\n')
  writeFileSync(join(home, 'c.yaml'), `${text}\n`)
  return { home, config: loadConfig({ config: join(home, 'c.yaml') }, around(home, { env })) }
}
function delivery(lines: readonly string[]): DeliveryDefaults {
  return Object.values(load(lines).config.repositories)[0]?.delivery ?? {}
}

describe('a delivery', () => {
  it('by merge needs nothing more', () => {
    expect(delivery(['into: main', 'how: squash'])).toEqual({ into: 'main', how: 'squash' })
  })

  it('of a repository by URL is pushed there, unless another place is named', () => {
    const url = ['url: https://github.com/ada/tools.git']
    const pullOf = (lines: readonly string[], above: readonly string[]) =>
      load(lines, above).config.repositories['repo']?.delivery?.pull
    expect(pullOf(['forge: { kind: github }'], url)).toMatchObject({
      remote: 'https://github.com/ada/tools.git',
      project: 'ada/tools',
    })
    const fork = 'remote: https://github.com/bob/tools.git'
    expect(pullOf([fork, 'forge: { kind: github }'], url)?.remote).toContain('/bob/')
    expect(load(['into: main'], url).config.repositories['repo']?.delivery).toEqual({ into: 'main' })
    const ssh = ['url: ssh://git@github.com/ada/tools.git', 'ssh: { key: k, knownHosts: h }']
    expect(pullOf(['forge: { kind: github }'], ssh)).toMatchObject({
      remote: 'ssh://git@github.com/ada/tools.git',
    })
    const other = ['remote: ssh://git@github.com/ada/other.git', 'forge: { kind: github }']
    expect(() => pullOf(other, ssh)).toThrow('"remote" is reached over https')
  })

  it('by pull request on GitHub is a draft, with the usual address, token and project', () => {
    const { config } = load([
      'way: pull-request',
      'remote: https://github.com/ada/tools.git',
      'forge: { kind: github }',
    ])
    const [{ delivery: found } = {}] = Object.values(config.repositories)
    expect(found).toMatchObject({
      way: 'pull-request',
      pull: {
        forge: 'github',
        address: 'https://api.github.com',
        project: 'ada/tools',
        remote: 'https://github.com/ada/tools.git',
        user: 'x-access-token',
        tokenFrom: 'the environment variable GITHUB_TOKEN',
        network: 'public',
        draft: true,
      },
    })
    expect(found?.pull?.token?.reveal()).toBe(env.GITHUB_TOKEN)
    // What boxes send and print is looked through for it.
    expect(config.secrets.map((each) => each.reveal())).toEqual([env.GITHUB_TOKEN])
    expect(JSON.stringify(config.repositories)).not.toContain(env.GITHUB_TOKEN)
  })

  it.each([
    [
      ['remote: https://gitlab.com/a/b/c', 'forge: { kind: gitlab }'],
      { address: 'https://gitlab.com', project: 'a/b/c' },
    ],
    [
      [
        'remote: https://code.example.com/ada/tools',
        'draft: false',
        'forge: { kind: forgejo, address: https://code.example.com, token: { env: FORGE }, user: bot }',
      ],
      { project: 'ada/tools', user: 'bot', draft: false },
    ],
    [
      [
        'remote: http://127.0.0.1:3000/ada/tools.git',
        'forge: { kind: forgejo, address: http://127.0.0.1:3000, network: loopback }',
      ],
      { network: 'loopback', token: null },
    ],
    [
      ['remote: file:///srv/git/tools.git', 'forge: { kind: github, project: ada/tools }'],
      { remote: '/srv/git/tools.git', project: 'ada/tools' },
    ],
  ])('takes %j', (lines, expected) => {
    expect(delivery(lines).pull).toMatchObject(expected)
  })

  it('of a repository that is fetched with a key is pushed with it, to there alone', () => {
    const home = scratch()
    const at = (delivery: string) => {
      writeFileSync(
        join(home, 'c.yaml'),
        `repositories:
  site:
    url: ssh://git@git.example.com/ada/site.git
    ssh: { key: keys/site, knownHosts: hosts }
    delivery: ${delivery}
`,
      )
      return loadConfig({ config: join(home, 'c.yaml') }, around(home, { env })).repositories['site']
        ?.delivery
    }
    const forge = 'forge: { kind: github }'
    expect(at(`{ ${forge} }`)?.pull).toMatchObject({
      remote: 'ssh://git@git.example.com/ada/site.git',
      project: 'ada/site',
      ssh: { key: join(home, 'keys/site'), knownHosts: join(home, 'hosts') },
    })
    const elsewhere = at(`{ remote: https://github.com/ada/site.git, ${forge} }`)?.pull
    expect([elsewhere?.remote, elsewhere?.ssh]).toEqual(['https://github.com/ada/site.git', undefined])
    expect(() => at(`{ remote: ssh://git@other.example.com/ada/site.git, ${forge} }`)).toThrow(
      '"remote" is reached over https',
    )
  })

  it('takes the path of a bare repository from where the configuration is', () => {
    const { home, config } = load(['remote: ../bare.git', 'forge: { kind: github, project: ada/tools }'])
    expect(Object.values(config.repositories)[0]?.delivery?.pull?.remote).toBe(join(home, '../bare.git'))
  })

  it.each([
    [['way: pull-request'], 'A pull request needs a "remote" to push to and a "forge" to open it on'],
    [['remote: https://github.com/a/b'], '"remote" and "forge" go together'],
    [['remote: git@github.com:a/b.git', 'forge: { kind: github }'], '"remote" is reached over https'],
    [['remote: ssh://git@github.com/a/b', 'forge: { kind: github }'], '"remote" is reached over https'],
    [['remote: ext::sh -c id', 'forge: { kind: github }'], '"remote" is reached over https'],
    [['remote: https://x:y@github.com/a/b', 'forge: { kind: github }'], 'must not hold a user or a password'],
    [['remote: http://github.com/a/b', 'forge: { kind: github }'], 'has to begin with https://'],
    [
      ['remote: https://localhost/a/b', 'forge: { kind: github }'],
      'is localhost, which is this machine itself',
    ],
    [
      [
        'remote: https://host/a/b',
        'forge: { kind: github, address: "https://169.254.169.254" , network: public, project: a }',
      ],
      'Name the project as the forge does',
    ],
    [
      ['remote: https://host/a/..', 'forge: { kind: github, project: a/.. }'],
      'Name the project as the forge does',
    ],
    [['remote: https://host/a/b', 'forge: { kind: forgejo }'], 'name that of yours as "forge.address"'],
    [['remote: https://host/a/b', 'forge: { kind: bitbucket }'], 'A forge is one of github, gitlab, forgejo'],
    [['way: mail'], '"way" is one of merge, pull-request'],
  ])('does not take %j', (lines, text) => {
    expect(() => load(lines)).toThrow(text)
  })
})
