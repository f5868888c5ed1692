import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostPath, Millis } from '../../domain/brand.ts'
import { sha256 } from '../../domain/canonical-json.ts'
import { Failure, messageOf } from '../../domain/failure.ts'
import type { Remotes, RemoteSettings, RemoteState } from '../../domain/remote.ts'
import { counted } from '../../domain/text.ts'
import { onDisk } from '../disk.ts'
import { exists } from '../files.ts'
import { openGit, usualPath } from '../git.ts'
import type { Author } from '../hardening.ts'
import { mirrorOf, mirrorsOf } from '../layout.ts'
import { cloneMirror, fetchedAt, fetchMirror, listRemote } from './mirror.ts'
import { pushMove, trackedTip } from './push.ts'
import { sharing } from './shared.ts'

export interface RemotesOptions {
  /** The data folder: its mirrors are in it. */
  readonly data: HostPath
  readonly author: Author
  readonly remotes: readonly RemoteSettings[]
  readonly searchPath?: string
  /** Of certificates, in PEM: whom git believes over TLS; those of the system unless told. */
  readonly authorities?: HostPath
  readonly clock?: () => Millis
  /** How long somebody waits for a clone, which goes on then, ms; ten seconds unless told. */
  readonly patienceMs?: number
  /** How long moving a branch of a remote may take, ms; ten minutes unless told. */
  readonly pushMs?: number
  readonly log?: (level: 'info' | 'warn', text: string, more: Readonly<Record<string, unknown>>) => void
}

interface Remote {
  readonly settings: RemoteSettings
  readonly key: string
  readonly mirror: HostPath
  readonly fetch: () => Promise<void>
  cloning: Promise<void> | null
  progress: string | null
  error: string | null
}

/** Repositories by URL. Nothing is asked of any of them before `begin` or `refresh`. */
export function openRemotes(options: RemotesOptions): Remotes {
  const { data, patienceMs = 10_000, pushMs = 600_000, clock = Date.now, log = () => undefined } = options
  const { searchPath = usualPath, author, authorities } = options
  const git = openGit({ searchPath, author, ...(authorities === undefined ? {} : { authorities }) })
  const underWay = new Set<Promise<unknown>>()
  const remotes = new Map(options.remotes.map((settings) => [settings.name, remoteOf(settings)]))

  function remoteOf(settings: RemoteSettings): Remote {
    // Another URL under the same name is another repository.
    const key = sha256(`${settings.name}\n${settings.url}`).slice(0, 16)
    const mirror = mirrorOf(data, key)
    const fetch = sharing(() => told(remote, 'fetched', () => fetchMirror(git, settings, mirror, clock)))
    const remote: Remote = { settings, key, mirror, fetch, cloning: null, progress: null, error: null }
    return remote
  }

  /** Does it, and keeps for `state` what it came to. */
  async function told(remote: Remote, what: string, work: () => Promise<void>): Promise<void> {
    const doing = doAndTell(remote, what, work)
    underWay.add(doing)
    await doing.finally(() => underWay.delete(doing))
  }

  async function doAndTell(remote: Remote, what: string, work: () => Promise<void>): Promise<void> {
    const { name } = remote.settings
    const from = performance.now()
    try {
      await onDisk(work)
      remote.error = null
      log('info', `a repository was ${what}`, { repository: name, ms: Math.round(performance.now() - from) })
    } catch (error) {
      remote.error = messageOf(error)
      log('warn', `a repository could not be ${what}`, { repository: name, why: remote.error })
      throw error
    }
  }

  function cloned(remote: Remote): Promise<void> {
    const progress = (text: string): void => void (remote.progress = text)
    remote.cloning ??= told(remote, 'cloned', () => {
      mkdirSync(mirrorsOf(data), { recursive: true, mode: 0o700 })
      return cloneMirror(git, remote.settings, remote.mirror, { progress, now: clock })
    }).finally(() => {
      remote.cloning = null
      remote.progress = null
    })
    // It goes on when nobody waits for it any more.
    remote.cloning.catch(() => undefined)
    return remote.cloning
  }

  function named(name: string): Remote {
    const remote = remotes.get(name)
    if (remote !== undefined) return remote
    const names = [...remotes.keys()]
    throw new Failure(
      'repository',
      `There is no repository ${JSON.stringify(name)}: give the absolute path of one` +
        (names.length === 0
          ? ', or name one by its URL under `repositories` in the configuration.'
          : `, or one of the names in the configuration (${names.join(', ')}).`),
    )
  }

  return {
    names: [...remotes.keys()],
    key: (name) => named(name).key,
    state: (name) => stateOf(named(name)),
    async refresh(name, wait) {
      const remote = named(name)
      const isNew = !exists(remote.mirror)
      if (isNew && wait === 'whole') await cloned(remote)
      else if (isNew) await inTime(remote, cloned(remote), patienceMs)
      else return await fetched(remote)
      return []
    },
    async reach(name) {
      const remote = named(name)
      const { refs } = await listRemote(git, remote.settings)
      const there = `${remote.settings.url} answers, with ${counted(refs.size, 'branch or tag', 'branches and tags')}`
      const at = fetchedAt(remote.mirror)
      return at === null ? `${there}; not cloned yet` : `${there}; fetched ${timeText(at)}`
    },
    async tip(name, branch) {
      const { mirror, fetch } = named(name)
      await fetch()
      return await trackedTip(git, mirror, branch)
    },
    async move(name, move) {
      const { settings, mirror } = named(name)
      const moving = pushMove(git, settings, mirror, move, { how: 'push', ms: pushMs })
      underWay.add(moving)
      return await moving.finally(() => underWay.delete(moving))
    },
    async rehearse(name, move) {
      const { settings, mirror } = named(name)
      return await pushMove(git, settings, mirror, move, { how: 'rehearse', ms: settings.fetchMs })
    },
    begin() {
      for (const remote of remotes.values()) if (!exists(remote.mirror)) void cloned(remote)
    },
    async end() {
      git.end()
      await Promise.allSettled(underWay)
    },
  }
}

/** What is there already may do where the remote does not answer. */
async function fetched({ settings, mirror, fetch }: Remote): Promise<readonly string[]> {
  try {
    await fetch()
    return []
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'remote') throw error
    const at = fetchedAt(mirror)
    if (settings.away === 'continue')
      return [
        `${error.message} So this begins at what was fetched last${at === null ? '' : `, ${timeText(at)}`}.`,
      ]
    throw new Failure(
      'remote',
      `${error.message} Try again when that is mended; with repositories.${settings.name}.fetch.away: continue, tasks begin at what was fetched last.`,
      { cause: error },
    )
  }
}

async function inTime(remote: Remote, cloning: Promise<void>, ms: number): Promise<void> {
  const ending = new AbortController()
  try {
    const late = sleep(ms, 'late' as const, { signal: ending.signal }).catch(() => 'late' as const)
    if ((await Promise.race([cloning, late])) !== 'late') return
  } finally {
    ending.abort()
  }
  throw new Failure(
    'remote',
    `${remote.settings.name} is being cloned (${remote.progress ?? 'begun'}): try again in a moment.`,
  )
}

function stateOf({ settings, mirror, cloning, progress, error }: Remote): RemoteState {
  const there = exists(mirror)
  return {
    url: settings.url,
    state: there ? 'cloned' : cloning === null ? 'missing' : 'cloning',
    progress,
    fetchedAt: there ? fetchedAt(mirror) : null,
    error,
  }
}

function timeText(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
