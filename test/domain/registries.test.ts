import { describe, expect, it } from 'vitest'
import { registriesOf, type RegistrySetting } from '../../src/domain/registries.ts'

const setting = (url: string, some: Partial<RegistrySetting> = {}): RegistrySetting => ({
  what: 'pip index',
  url,
  variable: 'PIP_INDEX_URL',
  ...some,
})

describe('the registries of a machine', () => {
  it.each<[string, string, number]>([
    ['https://packages.test/simple', 'packages.test', 443],
    ['http://packages.test/debian', 'packages.test', 80],
    ['https://packages.test:8443/', 'packages.test', 8443],
    ['http://192.0.2.7:4873/', '192.0.2.7', 4873],
  ])('%s is reached as %s:%d, also inside', (url, host, port) => {
    expect(registriesOf([setting(url)]).tunnels).toEqual([
      { host, ports: [port], inside: true, why: 'pip index' },
    ])
  })

  it.each(['', 'not an address', 'file:///srv/wheels', '/srv/wheels', 'cdrom:[Debian]/'])(
    '%j is none',
    (url) => {
      expect(registriesOf([setting(url)])).toEqual({ tunnels: [], env: {}, notes: [] })
    },
  )

  it('are told to the box without their credentials, and a person is told', () => {
    const { env, notes, tunnels } = registriesOf([setting('https://ada:hunter2@packages.test/simple')])
    expect(env).toEqual({ PIP_INDEX_URL: 'https://packages.test/simple' })
    expect(notes).toEqual([
      expect.stringMatching(/^The pip index has a password in its address, which no box is given/),
    ])
    expect(JSON.stringify({ env, notes, tunnels })).not.toContain('hunter2')
  })

  it('of one variable stand in one line, and one host is one rule', () => {
    const { env, tunnels } = registriesOf([
      setting('https://packages.test/one', { variable: 'PIP_EXTRA_INDEX_URL' }),
      setting('https://packages.test/two', { variable: 'PIP_EXTRA_INDEX_URL' }),
      setting('https://other.test/', { variable: null }),
    ])
    expect(env).toEqual({ PIP_EXTRA_INDEX_URL: 'https://packages.test/one https://packages.test/two' })
    expect(tunnels.map(({ host }) => host)).toEqual(['packages.test', 'other.test'])
  })
})
