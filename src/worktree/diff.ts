import type { CommitId, TreeId } from '../domain/brand.ts'
import { counted, fewOf } from '../domain/text.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { gitFailure } from './git.ts'
import type { GitPlace, Setting } from './hardening.ts'
import { mirrorOf } from './layout.ts'
import { refuseLost } from './lost.ts'
import type { Site } from './site.ts'

const mebibyte = 1024 * 1024
const mostBytes = 8 * mebibyte
/** Where the whole is longer, contents above the first are left out, or above the second where that is not enough; bytes. */
const fileLimits = [mebibyte, mebibyte / 8]
/** Files behind the cut that are named, and how much of each name, characters. */
const mostNamed = 50
const longestName = 200

/**
 * A diff for people. Where it is over the cap, large files are there by their heading alone, so that none hides the
 * others; what still is over it is cut at a line, with a mark of one line that names what is behind it.
 */
export async function diffText(
  site: Site,
  task: TaskPlace,
  from: CommitId,
  to: CommitId | TreeId,
): Promise<string> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  const how = ['--no-color', '--no-textconv', '--no-ext-diff']
  const args = ['diff-tree', '-p', ...how, '--find-renames', from, to]
  const all = await site.git.ask(place, args, { mostBytes, cut: true })
  if (all.code !== 0) {
    await refuseLost(site, task, to)
    await site.git.run(place, args)
  }
  if (!all.cut) return all.out.toString('utf8')
  // A file that git has compared with others to find out whether it was moved would be shown whatever its size.
  const rest = [...how, '--find-renames=100%', from, to]
  let shown = ''
  for (const limit of fileLimits) {
    // Git takes larger files for binary.
    const config: readonly Setting[] = [['core.bigFileThreshold', String(limit)]]
    const { code, out, err, cut } = await site.git.ask(place, ['diff-tree', '-p', '--full-index', ...rest], {
      mostBytes,
      cut: true,
      config,
    })
    if (code !== 0) throw gitFailure('diff-tree', err)
    const text = out.toString('utf8')
    shown = await withMarks(site, place, task, text.slice(0, text.lastIndexOf('\n') + 1), limit)
    if (!cut) return shown
  }
  const listed = await site.git.run(place, ['diff-tree', '-r', '--name-status', ...rest])
  return `${shown}[cut: the diff is longer than 8 MiB${behind(shown, listed.toString('utf8'))}]\n`
}

/** Where a file begins. Lines of content never do so, and what looks like the end of a line but is no `\n` ends none. */
const begins = /(?<=\n)(?=diff --git )/

/** Says below each heading whose content was left out why that is so. */
async function withMarks(
  site: Site,
  place: GitPlace,
  task: TaskPlace,
  diff: string,
  limit: number,
): Promise<string> {
  const files = diff.split(begins).map((text) => {
    const [, before = '', after = ''] = /\nindex (\w+)\.\.(\w+).*\nBinary files .* differ\n$/.exec(text) ?? []
    return { text, ids: before === '' ? [] : [before, after] }
  })
  const ids = [...new Set(files.flatMap((file) => file.ids))]
  if (ids.length === 0) return diff
  const input = `${ids.join('\n')}\n`
  const out = await site.git.run(place, ['cat-file', '--batch-check'], { input })
  const sizes = new Map(
    out
      .toString('latin1')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([id = '', , size = '0']) => [id, Number(size)]),
  )
  return files
    .map((file) => {
      const size = Math.max(0, ...file.ids.map((id) => sizes.get(id) ?? 0))
      // What git says stays: without it `git apply` would make an empty file.
      return size > limit ? `${file.text}${markOf(file.text, size, task.branch)}` : file.text
    })
    .join('')
}

function markOf(text: string, size: number, branch: string): string {
  // Both names are the same here.
  const both = (text.split('\n', 1)[0] ?? '').slice('diff --git '.length)
  const name = both.slice((both.length + 1) / 2).replace(/^("?)b\//, '$1')
  const where = text.includes('\ndeleted file mode ') ? 'it is deleted' : `the branch ${branch} has it`
  return `[not shown: ${name} is too large (${(size / mebibyte).toFixed(1)} MiB); ${where}]\n`
}

/** What is not shown, or not all of it: git lists files in the order of the diff, a name quoted where it is not plain. */
function behind(shown: string, listed: string): string {
  const heads = shown === '' ? 0 : shown.split(begins).length
  const files = listed
    .split('\n')
    .filter((line) => line !== '')
    // What becomes a file of another type goes away and comes anew.
    .flatMap((line) => (line.startsWith('T') ? [line, line] : [line]))
  const [at, ...rest] = files.slice(Math.max(heads - 1, 0)).map(named)
  if (at === undefined) return ''
  const others = [...new Set(rest)].filter((each) => each !== at)
  const end = `: it ends in ${at}`
  return others.length === 0
    ? end
    : `${end}; not shown: ${counted(others.length, 'more file')}, ${fewOf(others, mostNamed)}`
}

const deeds: Readonly<Record<string, string>> = { A: 'new', D: 'deleted', R: 'renamed', C: 'copied' }

function named(line: string): string {
  const [status = '', ...names] = line.split('\t')
  const deed = deeds[status.charAt(0)]
  const name = (names.at(-1) ?? '').slice(0, longestName)
  return deed === undefined ? name : `${name} (${deed})`
}
