import { mirrorsBack } from '../domain/backup.ts'
import type { CommitId, TreeId } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { mirrorOf } from './layout.ts'
import type { Site } from './site.ts'

/** A mirror that somebody has removed is cloned anew, and what tasks came to was in the old one alone. */
export async function refuseLost(
  site: Site,
  { repository }: TaskPlace,
  work: CommitId | TreeId,
): Promise<void> {
  const { code } = await site.git.ask({ gitDir: mirrorOf(site.data, repository.key) }, [
    'cat-file',
    '-e',
    work,
  ])
  if (code === 0) return
  throw new Failure(
    'repository',
    `The mirror of ${repository.path} has lost ${work.slice(0, 10)}, which this task came to: ` +
      `${mirrorsBack}, or discard the task and make another.`,
  )
}
