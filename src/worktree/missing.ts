import type { CommitId, HostPath } from '../domain/brand.ts'
import { exists } from './files.ts'
import { openGit, usualPath } from './git.ts'

/** Those commits that a mirror, or a copy of one, does not have or not with their tree: all of them where it is no mirror. */
export async function missingFrom(
  mirror: HostPath,
  commits: readonly CommitId[],
  searchPath: string = usualPath,
): Promise<ReadonlySet<CommitId>> {
  const all = new Set(commits)
  if (all.size === 0 || !exists(mirror)) return all
  const git = openGit({ searchPath, author: { name: 'nobody', email: 'nobody@localhost' } })
  const input = [...all].flatMap((commit) => [`${commit}\n`, `${commit}^{tree}\n`]).join('')
  const { code, out } = await git.ask({ gitDir: mirror }, ['cat-file', '--batch-check'], { input })
  if (code !== 0) return all
  // An answer for each line, in their order: `ID commit SIZE`, `ID tree SIZE`, or the line and `missing`.
  const answers = out.toString('utf8').split('\n')
  const kinds = answers.map((answer) => answer.split(' ')[1])
  return new Set([...all].filter((_, at) => kinds[2 * at] !== 'commit' || kinds[2 * at + 1] !== 'tree'))
}
