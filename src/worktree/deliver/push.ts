import type { CommitId, HostPath } from '../../domain/brand.ts'
import type { Git, GitAnswer } from '../git.ts'
import { barePush, farEnd, type Setting } from '../hardening.ts'
import type { Source } from '../source.ts'

/** One branch of a user's repository, to be moved. */
export interface Push {
  readonly ref: string
  readonly to: CommitId
  /** Where the branch has to be before, so that nobody else's work is lost; null where it may only go forward. */
  readonly lease: CommitId | null
  /** For the far end. */
  readonly settings: readonly Setting[]
}

/** Pushes one branch to a user's repository, under its owner's ids and with none of its hooks. */
export function push(
  git: Git,
  mirror: HostPath,
  source: Source,
  { ref, to, lease, settings }: Push,
): Promise<GitAnswer> {
  return git.ask(
    { gitDir: mirror },
    [
      ...barePush,
      '--quiet',
      `--receive-pack=${farEnd('receive-pack', source.owner, settings)}`,
      ...(lease === null ? [] : [`--force-with-lease=${ref}:${lease}`]),
      '--',
      source.commonDir,
      `${to}:${ref}`,
    ],
    { env: { GIT_ALLOW_PROTOCOL: 'file' } },
  )
}
