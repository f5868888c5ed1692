import { lookup } from 'node:dns/promises'
import { realpath, stat } from 'node:fs/promises'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import type { Remote } from '../../domain/delivery/forge.ts'
import { Failure, systemCodeOf } from '../../domain/failure.ts'
import { isAddress, vet } from '../../domain/outside.ts'
import type { RemoteKey } from '../../domain/remote.ts'
import type { Pushed, PushWish, TaskPlace } from '../../domain/worktree.ts'
import { exists } from '../files.ts'
import type { GitAnswer, GitOptions } from '../git.ts'
import { remoteEnd, type Setting } from '../hardening.ts'
import { mirrorOf } from '../layout.ts'
import type { Site } from '../site.ts'
import { sshEnv } from '../remote/connect.ts'
import { remoteRefusal } from './remote-refusal.ts'

/** How git gets to another repository. */
interface Way {
  readonly url: string
  readonly options: Pick<GitOptions, 'config' | 'env'>
  /** The program at the far end, where that is on this machine. */
  end(service: 'receive-pack' | 'upload-pack'): readonly string[]
}

const minute = 60_000
/** How long the far end may take to say where the branch is, ms: no hook of it is at work then. */
const lookMs = minute

/** Pushes a task's branch to another repository, where it may only be made or go forward. */
export async function pushBranch(
  site: Site,
  task: TaskPlace,
  head: CommitId,
  remote: Remote,
  { into, since }: PushWish,
): Promise<Pushed> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  const ref = `refs/heads/${task.branch}`
  const pushMs = site.pushMs ?? 10 * minute
  const way = await wayTo(site, remote)
  const ask = (args: readonly string[], timeoutMs: number): Promise<GitAnswer> =>
    site.git.ask(place, args, { ...way.options, timeoutMs })
  const refused = ({ out, err }: GitAnswer): Pushed => ({
    kind: 'refused',
    text: remoteRefusal(remote.url, task.branch, out.toString('utf8'), err),
  })
  const baseRef = `refs/heads/${into}`
  const look = ['ls-remote', '--refs', ...way.end('upload-pack'), '--', way.url, ref, baseRef]
  const looked = await ask(look, Math.min(lookMs, pushMs))
  if (looked.code !== 0) return refused(looked)
  const listed = looked.out.toString('utf8')
  const tip = tipOf(listed, ref)
  // Pushed before, by a process that did not live to say so.
  if (tip === head) return { kind: 'pushed' }
  if (tip !== null && !(await leadsTo(site, place.gitDir, tip, head))) return { kind: 'elsewhere', tip }
  if (since !== null) {
    const base = { ref: baseRef, tip: tipOf(listed, baseRef) }
    if (base.tip === null)
      return { kind: 'refused', text: `${remote.url} has no branch ${into}: name another, or push it there.` }
    const brought = await bring(site, task, { ...way, timeoutMs: pushMs }, { ...base, tip: base.tip })
    if (brought !== null) return refused(brought)
    if (!(await leadsTo(site, place.gitDir, since, base.tip))) {
      const count = await site.git.line(place, ['rev-list', '--count', `${base.tip}..${since}`])
      return { kind: 'foreign', commits: Number(count) }
    }
  }
  const push = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--no-signed',
    '--recurse-submodules=no',
    ...way.end('receive-pack'),
    // Where it has to be, or that it must not be there: never just by force.
    `--force-with-lease=${ref}:${tip ?? ''}`,
    '--',
    way.url,
    `${head}:${ref}`,
  ]
  const pushed = await ask(push, pushMs)
  return pushed.code === 0 ? { kind: 'pushed' } : refused(pushed)
}

function tipOf(out: string, ref: string): CommitId | null {
  const found = out.split('\n').find((line) => line.endsWith(`\t${ref}`))
  return found === undefined ? null : (found.split('\t', 1)[0] as CommitId)
}

/** Whether `old` is in the history of `young`, as far as both are in the mirror. */
async function leadsTo(site: Site, mirror: HostPath, old: CommitId, young: CommitId): Promise<boolean> {
  return (await site.git.ask({ gitDir: mirror }, ['merge-base', '--is-ancestor', old, young])).code === 0
}

/** Has a commit of the remote in the mirror, if it is not there. What git said where it could not be had; else null. */
async function bring(
  site: Site,
  task: TaskPlace,
  way: Way & { readonly timeoutMs: number },
  { ref, tip }: { readonly ref: string; readonly tip: CommitId },
): Promise<GitAnswer | null> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  if ((await site.git.ask(place, ['cat-file', '-e', `${tip}^{commit}`])).code === 0) return null
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  const refspec = `+${ref}:refs/cofferdam/${task.id}/proposed`
  const answer = await site.git.ask(place, [...args, ...way.end('upload-pack'), '--', way.url, refspec], {
    ...way.options,
    timeoutMs: way.timeoutMs,
    config: [...(way.options.config ?? []), ...receivingOld],
    mostFileBytes: mostBytes,
  })
  return answer.code === 0 ? null : answer
}

/** What a branch may have more than the mirror, bytes. */
const mostBytes = 2 * 1024 * 1024 * 1024

const receivingOld: readonly Setting[] = [
  // What is old and odd in a history that is there already stays usable.
  ['fetch.fsckObjects', 'false'],
  // What comes in is one file, whose size has a limit.
  ['fetch.unpackLimit', '1'],
]

async function wayTo(site: Site, remote: Remote): Promise<Way> {
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

/** Answers with what stands in the environment alone: argv and files of settings are read by others. */
const helper = `!f() { if test "$1" = get; then printf 'username=%s\\npassword=%s\\n' "$COFFERDAM_REMOTE_USER" "$COFFERDAM_REMOTE_TOKEN"; fi; }; f`

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
  // For this host and no other.
  if (token !== null) config.push([`credential.${url.origin}.helper`, helper])
  return {
    url: remote.url,
    options: {
      config,
      env: {
        GIT_ALLOW_PROTOCOL: url.protocol === 'http:' ? 'http' : 'https',
        ...(token === null ? {} : { COFFERDAM_REMOTE_USER: user, COFFERDAM_REMOTE_TOKEN: token.reveal() }),
      },
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
