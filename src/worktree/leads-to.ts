import type { CommitId } from '../domain/brand.ts'
import type { Git, GitOptions } from './git.ts'
import type { GitPlace } from './hardening.ts'

/** Whether `old` is in the history of `young`, as far as both are there; of one commit that is so without a look. */
export async function leadsTo(
  git: Git,
  place: GitPlace,
  old: CommitId,
  young: CommitId,
  options: Pick<GitOptions, 'as'> = {},
): Promise<boolean> {
  return (
    old === young || (await git.ask(place, ['merge-base', '--is-ancestor', old, young], options)).code === 0
  )
}
