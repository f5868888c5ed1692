import { lookup } from 'node:dns/promises'
import { realpath, stat } from 'node:fs/promises'
import type { Remote } from '../../domain/delivery/forge.ts'
import { Failure, systemCodeOf } from '../../domain/failure.ts'
import { isAddress, vet } from '../../domain/outside.ts'
import type { RemoteKey } from '../../domain/remote.ts'
import { exists } from '../files.ts'
import type { GitOptions } from '../git.ts'
import { remoteEnd, type Setting } from '../hardening.ts'
import { credentialFor, sshEnv } from '../remote/connect.ts'
import type { Site } from '../site.ts'

/** How git gets to another repository. */
export interface Way {
  readonly url: string
  readonly options: Pick<GitOptions, 'config' | 'env'>
  /** The program at the far end, where that is on this machine. */
  end(service: 'receive-pack' | 'upload-pack'): readonly string[]
}

/** Rejects with `Failure` where there is none: `repository`, or `busy` for what may pass. */
export async function wayTo(site: Site, remote: Remote): Promise<Way> {
  if (remote.url.startsWith('/')) return await folderWay(site, remote)
  return remote.ssh === undefined ? await webWay(remote) : sshWay(remote.url, remote.ssh)
}

/** A bare repository of this machine: its own hooks and settings count, and run under its owner's ids. */
async function folderWay(site: Site, { url }: Remote): Promise<Way> {
  const folder = await realpath(url).catch(() => null)
  if (folder === null || !exists(`${folder}/objects`) || !exists(`${folder}/HEAD`))
    throw new Failure('repository', `There is no bare repository at ${url}: name another remote, or make it.`)
  const { uid, gid } = await stat(folder)
  if (uid !== site.self && site.self !== 0)
    throw new Failure('repository', `${url} belongs to another user (uid ${uid}): name another remote.`)
  const owner = uid === site.self ? null : { uid, gid }
  return {
    url: folder,
    options: { env: { GIT_ALLOW_PROTOCOL: 'file' } },
    end: (service) => [`--${service}=${remoteEnd(service, owner)}`],
  }
}

/** As it is fetched from: with one key, and to a host that is known. */
function sshWay(url: string, key: RemoteKey): Way {
  const env = { GIT_ALLOW_PROTOCOL: 'ssh', ...sshEnv(key) }
  return { url, options: { env }, end: () => [] }
}

async function webWay(remote: Remote): Promise<Way> {
  const { user, token } = remote
  const url = new URL(remote.url)
  const config: Setting[] = [
    ['http.followRedirects', 'false'],
    ['http.proxy', ''],
    ['http.sslVerify', 'true'],
    // A far end that says nothing for so long has gone.
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '120'],
    ...(await pinned(url, remote)),
  ]
  const known = token === null ? null : credentialFor(url.origin, user, token)
  return {
    url: remote.url,
    options: {
      config: [...config, ...(known?.config ?? [])],
      env: { GIT_ALLOW_PROTOCOL: url.protocol === 'http:' ? 'http' : 'https', ...known?.env },
    },
    end: () => [],
  }
}

/** Git connects to the addresses that were looked at, whatever the name means by then. */
async function pinned(url: URL, { network }: Remote): Promise<readonly Setting[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const found = isAddress(host) ? [host] : await resolve(host)
  const vetted = vet(host, found, network, 'forge')
  if ('refused' in vetted) throw new Failure('repository', vetted.refused)
  if (isAddress(host)) return []
  const port = url.port === '' ? (url.protocol === 'http:' ? '80' : '443') : url.port
  const addresses = vetted.addresses.map((address) => (address.includes(':') ? `[${address}]` : address))
  return [['http.curloptResolve', `${host}:${port}:${addresses.join(',')}`]]
}

async function resolve(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address)
  } catch (error) {
    throw new Failure('busy', `${host} could not be resolved: ${systemCodeOf(error)}.`, { cause: error })
  }
}
