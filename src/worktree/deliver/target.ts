import type { CommitId } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { isByName } from '../../domain/remote.ts'
import type { TaskPlace } from '../../domain/worktree.ts'
import { mirrorOf } from '../layout.ts'
import { refuseOther } from '../same-source.ts'
import type { Site } from '../site.ts'
import { asRepository, mirrorSource, type Source, sourceOf, sourcePlace } from '../source.ts'

/** A branch cannot be moved as things are; the sentence says why, and what to do. Nothing was done. */
export class Refused extends Failure {
  constructor(message: string) {
    super('repository', message)
  }
}

/** A branch of a user's repository, or of the remote of one by URL, as it is now. */
export interface Target {
  readonly source: Source
  /** Without `refs/heads/`. */
  readonly branch: string
  readonly ref: string
  readonly tip: CommitId
}

/** Finds the branch that a task's work is to go into; refuses in one sentence what cannot be one. */
export async function targetOf(site: Site, task: TaskPlace, branch: string): Promise<Target> {
  if (isByName(task.repository.path)) return await farTarget(site, task, branch)
  const source = await sourceOf(task, site.self)
  await refuseOther(site, task, source)
  const ref = `refs/heads/${branch}`
  const format = '--format=%(refname)%00%(objectname)%00%(symref)'
  const out = await asRepository(source, () =>
    site.git.run(sourcePlace(source), ['for-each-ref', format, ref], { as: source.owner }),
  )
  const found = out
    .toString('utf8')
    .split('\n')
    .map((line) => line.split('\0'))
    // A folder of branches has the same beginning.
    .find(([name]) => name === ref)
  const [, tip, symref] = found ?? []
  if (tip === undefined)
    throw new Refused(`${source.top} has no branch ${branch}: name the one that the work is to go into.`)
  if (symref !== undefined && symref !== '')
    throw new Refused(
      `${branch} in ${source.top} is another name of ${symref.replace('refs/heads/', '')}: name that one.`,
    )
  return { source, branch, ref, tip: tip as CommitId }
}

/** What is new on the remote is in the mirror then. */
async function farTarget(site: Site, { id, repository }: TaskPlace, branch: string): Promise<Target> {
  const { path, key } = repository
  if (site.remotes.key(path) !== key)
    throw new Refused(
      `${path} has another URL in the configuration than when this task was made: \`cofferdam task diff ${id}\` prints the work.`,
    )
  const tip = await site.remotes.tip(path, branch)
  if (tip === null)
    throw new Refused(`${path} has no branch ${branch}: name the one that the work is to go into.`)
  return { source: mirrorSource(mirrorOf(site.data, key), path), branch, ref: `refs/heads/${branch}`, tip }
}
