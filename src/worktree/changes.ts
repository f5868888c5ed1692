import type { CommitId, TreePath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { Change } from '../domain/marks/mark.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { readBlobs } from './blobs.ts'
import type { GitPlace } from './hardening.ts'
import { mirrorOf } from './layout.ts'
import { parts, textOf, type RawPath } from './raw.ts'
import type { Site } from './site.ts'

const mebibyte = 1024 * 1024
/** What a file may have to be read, and all of them together, bytes. */
const fileBytes = mebibyte / 4
const allBytes = 4 * mebibyte
/** Of git's list of paths; some 100,000. */
const listBytes = 32 * mebibyte
const timeoutMs = 10_000

// Nothing of the tree is run, and files are compared as they are.
const args = ['diff-tree', '-r', '-z', '--raw', '--no-textconv', '--no-ext-diff']

/** Similar files count as moved, up to so many that it takes no time to speak of. */
const renames = ['--find-renames=60%', '-l400']

interface Pair {
  readonly from: TreePath
  readonly path: TreePath
  /** Blobs that are regular files; null for anything else and for nothing. */
  readonly before: string | null
  readonly after: string | null
  readonly what: Change['what']
}

/** What differs between two commits. Null: that cannot be found out in the time and space there are. */
export async function changesOf(
  site: Site,
  task: TaskPlace,
  from: CommitId,
  to: CommitId,
  wants: (path: TreePath) => boolean,
  signal?: AbortSignal,
): Promise<readonly Change[] | null> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  const inTime = async <T>(work: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Failure && error.code === 'worktree' && signal?.aborted !== true) return null
      throw error
    }
  }
  const pairs =
    (await inTime(() => pairsOf(site, place, [...renames, from, to]))) ??
    (await inTime(() => pairsOf(site, place, ['--no-renames', from, to])))
  return pairs === null ? null : inTime(() => withContent(site, place, pairs, wants))
}

async function pairsOf(site: Site, place: GitPlace, more: readonly string[]): Promise<readonly Pair[]> {
  return parsePairs(await site.git.run(place, [...args, ...more], { timeoutMs, mostBytes: listBytes }))
}

async function withContent(
  site: Site,
  place: GitPlace,
  pairs: readonly Pair[],
  wants: (path: TreePath) => boolean,
): Promise<readonly Change[]> {
  const wanted = new Set(pairs.filter(({ from, path }) => wants(path) || wants(from)))
  const ids = [...wanted].flatMap(({ before, after }) => [before, after]).filter((id) => id !== null)
  const small = await smallOf(site, place, ids)
  const blobs = await readBlobs(site.git, place, [...small], { timeoutMs })
  const content = (id: string | null): string | null =>
    id === null ? null : (blobs.get(id)?.toString('utf8') ?? null)
  return pairs.map((pair): Change => {
    const { path, from, what } = pair
    const change = { path, from, what, before: null, after: null }
    if (!wanted.has(pair)) return change
    const [before, after] = [content(pair.before), content(pair.after)]
    const missing = (pair.before !== null && before === null) || (pair.after !== null && after === null)
    return missing ? { ...change, unread: true } : { ...change, before, after }
  })
}

const none = '' as RawPath

/** `:<mode> <mode> <id> <id> <letter>\0<path>\0`, with two paths where a file was moved or copied. */
function parsePairs(out: Buffer): readonly Pair[] {
  const pairs: Pair[] = []
  const records = parts(out)
  for (let index = 0; index < records.length; index += 1) {
    const found = /^:(\d+) (\d+) (\w+) (\w+) ([A-Z])/.exec(records[index] ?? '')
    if (found === null) continue
    const [, mode = '', modeAfter = '', id = '', idAfter = '', letter = ''] = found
    index += 1
    const from = textOf(records[index] ?? none)
    const moved = letter === 'R' || letter === 'C'
    if (moved) index += 1
    const path = moved ? textOf(records[index] ?? none) : from
    const file = (of: string, blob: string): string | null => (of.startsWith('100') ? blob : null)
    const what = letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'changed'
    pairs.push({ from, path, before: file(mode, id), after: file(modeAfter, idAfter), what })
  }
  return pairs
}

/** Those blobs that may be read: the first ones that fit. */
async function smallOf(site: Site, place: GitPlace, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const small = new Set<string>()
  if (ids.length === 0) return small
  const input = `${[...new Set(ids)].join('\n')}\n`
  const out = await site.git.run(place, ['cat-file', '--batch-check'], { input, timeoutMs })
  let left = allBytes
  for (const line of out.toString('latin1').split('\n')) {
    const [id = '', type, size] = line.split(' ')
    const bytes = Number(size)
    if (type !== 'blob' || bytes > fileBytes || bytes > left) continue
    left -= bytes
    small.add(id)
  }
  return small
}
