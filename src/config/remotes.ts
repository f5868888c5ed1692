import { dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { repositoryName, type RemoteSettings } from '../domain/remote.ts'
import type { Environment } from './environment.ts'
import { expand, resolved } from './places.ts'
import { remoteFields } from './remote-fields.ts'
import type { ConfigFile } from './schema.ts'
import { placeText, readSecret } from './secrets.ts'

type Written = ConfigFile['repositories'][string]

/** What names a repository in the rest of the program: its name where it has a URL, else its absolute, resolved path. */
export function repositoryKey(
  given: string,
  { repositories }: Pick<ConfigFile, 'repositories'>,
  path: string,
  around: Environment,
): string {
  if (repositories[given]?.url !== undefined) return given
  return resolved(expand(given, dirname(path), around))
}

/** The repositories by URL, each checked for what can be known without a network. */
export function remotesOf(
  file: Pick<ConfigFile, 'repositories'>,
  path: string,
  around: Environment,
): readonly RemoteSettings[] {
  return Object.entries(file.repositories).flatMap(([name, written]) => {
    const { url, login, ssh } = written
    const problem =
      url === undefined ? strayProblem(written) : (nameProblem(name) ?? urlProblem(url, written))
    if (problem !== null)
      throw new Failure(
        'bad_config',
        `The configuration ${path} cannot be used. The repository ${name}: ${problem}`,
      )
    if (url === undefined) return []
    const fetch = remoteFields.fetch.unwrap().parse(written.fetch ?? {})
    const at = (place: string): HostPath => expand(place, dirname(path), around)
    return {
      name,
      url,
      login:
        login === undefined
          ? null
          : {
              user: login.user,
              password: readSecret(`of the repository ${name}`, login.password, path, around),
              from: placeText(login.password),
            },
      ssh: ssh === undefined ? null : { key: at(ssh.key), knownHosts: at(ssh.knownHosts) },
      away: fetch.away,
      fetchMs: fetch.seconds * 1000,
      cloneMs: fetch.cloneMinutes * 60_000,
      mostMb: fetch.mostMb,
    }
  })
}

function strayProblem(written: Written): string | null {
  const stray = (['login', 'ssh', 'fetch'] as const).find((key) => written[key] !== undefined)
  return stray === undefined
    ? null
    : `"${stray}" is for a repository by URL, and this one has a path: add "url", or remove it.`
}

function nameProblem(name: string): string | null {
  return repositoryName.test(name)
    ? null
    : 'A repository by URL has a name of letters, digits, ".", "_" and "-", at most 64 characters: give it one in the place of a path.'
}

/** What ssh would take apart in a value of one of its options. */
const plainPath = /^[\w@+=:,./~-]+$/

function urlProblem(text: string, { login, ssh }: Written): string | null {
  if (!URL.canParse(text) || /[\s\p{Cc}\\]/u.test(text))
    return 'Its "url" is no URL such as https://host/path.git or ssh://git@host/path.git.'
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(text)
  if (password !== '' || (username !== '' && protocol !== 'ssh:'))
    return 'Its URL must not hold a user or a password: name them as "login".'
  if (search !== '' || hash !== '') return 'Its URL must not hold a "?" or a "#".'
  if (hostname.startsWith('-') || username.startsWith('-')) return 'Its host or user must not begin with "-".'
  if (pathname === '' || pathname === '/')
    return 'Its URL names a host and no repository: add the path of it.'
  if (ssh !== undefined && protocol !== 'ssh:') return '"ssh" is for a URL that begins with ssh://.'
  if (login !== undefined && !/^https?:$/.test(protocol))
    return '"login" is for a URL that begins with https://.'
  switch (protocol) {
    case 'https:':
      return null
    case 'http:':
      return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
        ? null
        : 'Its URL begins with http://, which others can read and change on the way: write https://.'
    case 'file:':
      return hostname === '' ? null : 'A URL of this machine begins with file:///.'
    case 'ssh:':
      if (ssh === undefined)
        return 'A URL that begins with ssh:// needs ssh: { key: PATH, knownHosts: PATH }.'
      return [ssh.key, ssh.knownHosts].every((place) => plainPath.test(place))
        ? null
        : 'The paths of "ssh" must not hold spaces, quotes and "%".'
    default:
      return `Its URL begins with ${protocol}//, and git is let use only https, ssh and file.`
  }
}
