import type { LeftOut } from '../domain/worktree.ts'
import { indexInfo, type Entry } from './entries.ts'
import { gitFailure, type GitAnswer } from './git.ts'
import { durable, type GitPlace, type Setting } from './hardening.ts'
import { nulled, textOf, type RawPath } from './raw.ts'
import type { Site } from './site.ts'

/** Takes paths out of an index, whatever is on disk. */
export async function takeOut(site: Site, place: GitPlace, paths: readonly RawPath[]): Promise<void> {
  await feed(site, place, ['--force-remove'], paths)
}

/** Takes paths into an index as they are on disk. Answers what git would not take: names that are dangerous to it. */
export async function takeIn(
  site: Site,
  place: GitPlace,
  paths: readonly RawPath[],
): Promise<readonly LeftOut[]> {
  const said = await feed(site, place, ['--add', '--remove', '--replace'], paths)
  if (!said.includes('Ignoring path ')) return []
  return paths
    .map(textOf)
    .filter((path) => said.includes(`Ignoring path ${path}\n`))
    .map((path) => ({ path, why: 'a name that git refuses', undone: true }))
}

/** Puts entries into an index, whatever is on disk and whatever else was in their places. */
export async function putIn(site: Site, place: GitPlace, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
  await site.git.run(place, ['update-index', '--add', '--replace', '-z', '--index-info'], {
    input: indexInfo(entries),
  })
}

async function feed(
  site: Site,
  place: GitPlace,
  flags: readonly string[],
  paths: readonly RawPath[],
): Promise<string> {
  if (paths.length === 0) return ''
  const asked = (config: readonly Setting[]): Promise<GitAnswer> =>
    site.git.ask(place, ['update-index', ...flags, '-z', '--stdin'], { input: nulled(paths), config })
  let answer = await asked(durable)
  // Git 2.39 loses a large file that comes after a small one, where it flushes what it writes all at once.
  if (answer.code !== 0 && answer.err.includes('unable to rename temporary file'))
    answer = await asked([...durable, ['core.fsyncMethod', 'fsync']])
  if (answer.code !== 0) throw gitFailure('update-index', answer.err)
  return answer.err
}
