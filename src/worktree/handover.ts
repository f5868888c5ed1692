import type { CommitId } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { readText } from './files.ts'
import { gitFailure } from './git.ts'
import { durable, farEnd, type Setting } from './hardening.ts'
import { at, mirrorOf } from './layout.ts'
import type { Site } from './site.ts'
import { asRepository, findSource } from './source.ts'

// What a user's repository may be set to, and what must not happen in it.
const receiving: readonly Setting[] = [
  // A checkout of theirs is never written, also where they have the branch checked out.
  ['receive.denyCurrentBranch', 'refuse'],
  ['receive.denyNonFastForwards', 'true'],
  // A shallow source stays as shallow as it is.
  ['receive.shallowUpdate', 'true'],
]

/** Moves the task's branch in the mirror. */
export async function moveBranch(site: Site, task: TaskPlace, commit: CommitId): Promise<void> {
  const mirror = mirrorOf(site.data, task.repository.key)
  const ref = `refs/heads/${task.branch}`
  if ((await readText(at(mirror, ref)))?.trim() === commit) return
  await site.git.run({ gitDir: mirror }, ['update-ref', ref, commit], { config: durable })
}

/** Pushes one branch to the source, under its owner's ids and with none of its hooks. */
export async function giveBranch(site: Site, task: TaskPlace, commit: CommitId): Promise<void> {
  const source = await findSource(task.repository.path, site.self)
  await asRepository(source, async () => {
    const answer = await site.git.ask(
      { gitDir: mirrorOf(site.data, task.repository.key) },
      [
        'push',
        '--quiet',
        '--no-verify',
        '--no-follow-tags',
        '--no-signed',
        '--recurse-submodules=no',
        `--receive-pack=${farEnd('receive-pack', source.owner, receiving)}`,
        '--',
        source.commonDir,
        `${commit}:refs/heads/${task.branch}`,
      ],
      { env: { GIT_ALLOW_PROTOCOL: 'file' } },
    )
    if (answer.code !== 0) throw refusalOf(task, source.top, answer.err)
  })
}

function refusalOf(task: TaskPlace, top: string, err: string): Failure {
  if (/non-fast-forward|fetch first|stale info/.test(err))
    return new Failure(
      'repository',
      `The branch ${task.branch} in ${top} holds commits that are not the task's: rename it there, then resume the task.`,
    )
  if (/branch is currently checked out/.test(err))
    return new Failure(
      'repository',
      `The branch ${task.branch} is checked out in ${top}: check out another one there, then resume the task.`,
    )
  return gitFailure('push', err)
}
