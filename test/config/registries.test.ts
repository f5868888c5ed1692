import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRegistries } from '../../src/config/registries.ts'
import type { Registries } from '../../src/domain/registries.ts'
import { around, scratch } from './support.ts'

/** A machine whose package managers are these shell scripts; those that are not named are not installed. */
function reading(scripts: Readonly<Record<string, string>>): Promise<Registries> {
  const home = scratch()
  const bin = join(home, 'bin')
  mkdirSync(bin)
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return readRegistries(around(home, { env: { PATH: bin } }))
}

const npm = (settings: object): string => `echo '${JSON.stringify(settings)}'`
/** pip's own lines, and its defaults. */
const pip = (lines: string): string =>
  `if [ "$1" = -m ]; then printf '%s\\n' "${lines}"; else echo https://index.example/simple; echo https://files.example; fi`
const hosts = ({ tunnels }: Registries): readonly string[] =>
  tunnels.map(({ host, ports, why }) => `${host}:${String(ports)} ${why}`)

describe('where packages come from on this machine', () => {
  it('is nowhere where nothing is installed, and that is nothing to be told of', async () => {
    expect(await reading({})).toEqual({ tunnels: [], env: {}, notes: [] })
  })

  it('is what npm says, also for scopes, and nothing else that npm says', async () => {
    const found = await reading({
      npm: npm({
        registry: 'https://npm.example/path/',
        '@team:registry': 'http://team.example:4873/',
        'https-proxy': 'http://proxy.example:3128',
        '//npm.example/:_authToken': 'never-shown',
        registry_of_something: 'https://other.example',
        depth: 3,
      }),
    })
    expect(hosts(found)).toEqual(['npm.example:443 npm registry', 'team.example:4873 npm registry of @team'])
    expect(found.env).toEqual({
      npm_config_registry: 'https://npm.example/path/',
      'npm_config_@team:registry': 'http://team.example:4873/',
    })
    expect(JSON.stringify(found)).not.toContain('never-shown')
  })

  it('is pip’s own index and where its files are, where nobody has set another', async () => {
    const found = await reading({ python3: pip('') })
    expect(hosts(found)).toEqual(['index.example:443 pip index', 'files.example:443 pip files'])
    expect(found.env).toEqual({ PIP_INDEX_URL: 'https://index.example/simple' })
  })

  it('is the last index that pip is set to, with all further ones', async () => {
    const found = await reading({
      python3: pip(
        [
          `global.index-url='https://first.example/simple'`,
          `user.index-url='https://user:word@last.example:8443/simple'`,
          `global.extra-index-url='https://one.example/s https://two.example/s'`,
          `global.timeout='60'`,
        ].join('\n'),
      ),
    })
    expect(hosts(found)).toEqual([
      'last.example:8443 pip index',
      'one.example:443 pip index',
      'two.example:443 pip index',
    ])
    expect(found.env).toEqual({
      PIP_INDEX_URL: 'https://last.example:8443/simple',
      PIP_EXTRA_INDEX_URL: 'https://one.example/s https://two.example/s',
    })
    // A password stays outside, and somebody should know.
    expect(found.notes).toEqual([expect.stringContaining('pip index has a password')])
    expect(JSON.stringify(found)).not.toContain('word@')
  })

  it('is each of apt’s sources once; what is no address of the network is left out', async () => {
    const found = await reading({
      'apt-get': `printf '%s\\n' http://deb.example/debian http://deb.example/debian https://sec.example/ file:/srv/repo ''`,
    })
    expect(hosts(found)).toEqual(['deb.example:80 apt source', 'sec.example:443 apt source'])
    expect(found.env).toEqual({})
  })

  it('may be inside, for the machine’s owner named it', async () => {
    const { tunnels } = await reading({ npm: npm({ registry: 'https://npm.example/' }) })
    expect(tunnels).toEqual([{ host: 'npm.example', ports: [443], inside: true, why: 'npm registry' }])
  })

  it.each([
    ['that fails', 'echo broken >&2; exit 3'],
    ['whose answer is none', 'echo not json'],
  ])('one %s is told of, and the others count', async (_what, script) => {
    const found = await reading({ npm: script, 'apt-get': 'echo http://deb.example/debian' })
    expect(hosts(found)).toEqual(['deb.example:80 apt source'])
    expect(found.notes).toEqual([expect.stringContaining('npm could not be asked for registries')])
  })

  it('is not what a repository says: each is asked in the root folder', async () => {
    const found = await reading({ 'apt-get': 'test "$(pwd)" = / && echo http://root.example/' })
    expect(hosts(found)).toEqual(['root.example:80 apt source'])
  })
})
