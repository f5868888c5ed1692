import type { CommitId, HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { isByName } from '../domain/remote.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { complaintsAbout, complaintsIn } from './complaints.ts'
import { folderMode, parseEntries } from './entries.ts'
import { push } from './deliver/push.ts'
import { pushTrouble } from './deliver/push-trouble.ts'
import { gitFailure, type GitAnswer } from './git.ts'
import type { Setting } from './hardening.ts'
import { mirrorOf } from './layout.ts'
import { receiving } from './receiving.ts'
import { readRef, writeRef } from './refs.ts'
import { refuseOther } from './same-source.ts'
import type { Site } from './site.ts'
import { asRepository, sourceOf } from './source.ts'

/** Moves the task's branch in the mirror. */
export async function moveBranch(site: Site, task: TaskPlace, commit: CommitId): Promise<void> {
  const mirror = mirrorOf(site.data, task.repository.key)
  const ref = `refs/heads/${task.branch}`
  if (readRef(mirror, ref) !== commit) await writeRef(mirror, ref, commit)
}

/** Pushes one branch to a source on this machine, under its owner's ids and with none of its hooks. */
export async function giveBranch(site: Site, task: TaskPlace, commit: CommitId): Promise<void> {
  // The branch is in its mirror, and its remote is given nothing before somebody decides so.
  if (isByName(task.repository.path)) return await moveBranch(site, task, commit)
  const source = await sourceOf(task, site.self)
  const ref = `refs/heads/${task.branch}`
  const gitDir = mirrorOf(site.data, task.repository.key)
  const pushed = (accepted: readonly Setting[]): Promise<GitAnswer> =>
    push(site.git, gitDir, source, {
      ref,
      to: commit,
      lease: null,
      settings: [...receiving(ref), ...accepted],
    })
  await asRepository(source, async () => {
    await refuseOther(site, task, source)
    let answer = await pushed([])
    if (answer.code !== 0 && complaintsIn(answer.err).length > 0)
      answer = await pushed(await acceptedAlready(site, gitDir, task.base.commit))
    if (answer.code !== 0) throw refusalOf(task, source.top, answer.err)
  })
}

/** What the source holds already it need not refuse: git judges an old file anew with each new folder that it is in. */
export async function acceptedAlready(
  site: Site,
  gitDir: HostPath,
  base: CommitId,
): Promise<readonly Setting[]> {
  const root = await site.git.line({ gitDir }, ['rev-parse', '--verify', `${base}^{tree}`])
  const folders = parseEntries(await site.git.run({ gitDir }, ['ls-tree', '-r', '-d', '-z', base]))
  const trees = folders.filter(({ mode }) => mode === folderMode).map(({ id }) => id)
  const complaints = await complaintsAbout(site, gitDir, [root, ...trees])
  return [...new Set(complaints.map(({ message }) => message))].map((message): Setting => [
    `receive.fsck.${message}`,
    'ignore',
  ])
}

function refusalOf(task: TaskPlace, top: string, err: string): Failure {
  const trouble = pushTrouble(err)
  if (trouble === 'backward')
    return new Failure(
      'repository',
      `The branch ${task.branch} in ${top} holds commits that are not the task's: rename it there, then resume the task.`,
    )
  if (trouble === 'checkedOut')
    return new Failure(
      'repository',
      `The branch ${task.branch} is checked out in ${top}: check out another one there, then resume the task.`,
    )
  const other = /'refs\/heads\/([^']+)' exists; cannot create/.exec(err)?.[1]
  if (other !== undefined)
    return new Failure(
      'repository',
      `The branch ${other} in ${top} leaves no room for the branch ${task.branch}: rename it there, then resume the task.`,
    )
  const said = gitFailure('push', err)
  if (said.code === 'disk') return said
  return new Failure(
    'repository',
    `${top} does not take the branch ${task.branch}. ${said.message} The work is kept; a resume hands it over again.`,
  )
}
