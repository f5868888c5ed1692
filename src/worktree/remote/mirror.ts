import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { HostPath, Millis } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import type { RemoteSettings } from '../../domain/remote.ts'
import { dress } from '../dress.ts'
import { readJson, writeWhole } from '../files.ts'
import type { Git } from '../git.ts'
import { at } from '../layout.ts'
import { formatOf } from '../objects.ts'
import { removeFolder } from '../throw-away.ts'
import { askRemote, mostBytesOf } from './ask.ts'
import { type Listing, listingOf, refspecs, trackedAs, tracking } from './listing.ts'
import { remoteName } from './refusal.ts'

const recordSchema = z.object({ fetchedAt: z.number(), branch: z.string().nullable() })

/** When the remote of a mirror last answered; null where nothing is on record. */
export function fetchedAt(mirror: HostPath): Millis | null {
  return readJson(recordFile(mirror), recordSchema)?.fetchedAt ?? null
}

/** The remote's own branch, by its short name; null where it names none. */
export function ownBranch(mirror: HostPath): string | null {
  return readJson(recordFile(mirror), recordSchema)?.branch ?? null
}

export async function listRemote(git: Git, remote: RemoteSettings): Promise<Listing> {
  const before = ['ls-remote', '--quiet', '--symref']
  const { out } = await askRemote(git, remote, null, { before }, { ms: remote.fetchMs })
  return listingOf(out.toString('utf8'))
}

/**
 * Makes the mirror of a remote, beside its place: what is there under its name is whole. Its depth is full, submodules are
 * not followed, and of files in Git LFS there are the pointers.
 */
export async function cloneMirror(
  git: Git,
  remote: RemoteSettings,
  mirror: HostPath,
  { progress, now }: { readonly progress: (text: string) => void; readonly now: () => Millis },
): Promise<void> {
  const listing = await listRemote(git, remote)
  const [first] = listing.refs.values()
  if (first === undefined)
    throw new Failure(
      'repository',
      `${remote.name} has no commit yet: push something to ${remote.url} first.`,
    )
  // Its own name each time: git may outlive a process that was killed, and write on into the folder that it knows.
  const half = `${mirror.replace(/\.git$/, '')}.${randomBytes(4).toString('hex')}.new` as HostPath
  try {
    await mkdir(`${half}/objects`, { recursive: true, mode: 0o700 })
    await dress(half, formatOf(first))
    await bring(git, remote, half, { ms: remote.cloneMs, progress })
    await settle(half, listing, now())
    await rename(half, mirror)
  } catch (error) {
    await removeFolder(half)
    throw error
  }
}

/** Brings the mirror to what the remote has now; only asks where that is what it has already. */
export async function fetchMirror(
  git: Git,
  remote: RemoteSettings,
  mirror: HostPath,
  now: () => Millis,
): Promise<void> {
  const listing = await listRemote(git, remote)
  if (!(await has(git, mirror, listing))) await bring(git, remote, mirror, { ms: remote.fetchMs })
  await settle(mirror, listing, now())
}

async function bring(
  git: Git,
  remote: RemoteSettings,
  mirror: HostPath,
  limits: Parameters<typeof askRemote>[4],
): Promise<void> {
  const before = [
    'fetch',
    '--progress',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-recurse-submodules',
  ]
  try {
    await askRemote(git, remote, { gitDir: mirror }, { before, after: refspecs }, limits)
  } catch (error) {
    // Git does not say that the system's limit ended it.
    if ((await dropHalf(mirror)) < mostBytesOf(remote)) throw error
    throw new Failure(
      'repository',
      `${remoteName(remote)} has sent more than the ${remote.mostMb} MiB of repositories.${remote.name}.fetch.mostMb, and was left.`,
      { cause: error },
    )
  }
}

async function has(git: Git, mirror: HostPath, { refs }: Listing): Promise<boolean> {
  const names = ['for-each-ref', '--format=%(objectname) %(refname)', tracking, 'refs/tags/']
  const here = (await git.run({ gitDir: mirror }, names)).toString('utf8').split('\n').filter(Boolean)
  const there = [...refs].map(([name, id]) => `${id} ${trackedAs(name)}`)
  return here.toSorted().join('\n') === there.toSorted().join('\n')
}

async function settle(mirror: HostPath, { head }: Listing, now: Millis): Promise<void> {
  const record: z.infer<typeof recordSchema> = { fetchedAt: now, branch: head }
  await writeWhole(recordFile(mirror), `${JSON.stringify(record)}\n`)
}

/**
 * Removes what git leaves of a pack that did not come to its end: nobody else writes packs into the mirror of a remote.
 * @returns the size of the largest, bytes
 */
async function dropHalf(mirror: HostPath): Promise<number> {
  const packs = at(mirror, 'objects/pack')
  let largest = 0
  for (const name of await readdir(packs).catch(() => [])) {
    if (!name.startsWith('tmp_')) continue
    largest = Math.max(largest, (await stat(`${packs}/${name}`)).size)
    await rm(`${packs}/${name}`, { force: true })
  }
  return largest
}

function recordFile(mirror: HostPath): HostPath {
  return at(mirror, 'cofferdam-remote.json')
}
