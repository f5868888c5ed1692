import { isProposal, refusalOf } from '../../domain/standing.ts'
import type { Delivery, Task } from '../../domain/task.ts'

/** What becomes of the work of a task, as a heading; it is told live. */
export function deliveryTitle(task: Task): string {
  const { delivery, phase, merge, pull } = task
  const refusal = refusalOf(task)
  const into = merge?.into ?? 'its branch'
  switch (delivery) {
    case 'none':
      if (refusal === null) return 'What is to become of this work?'
      if (refusal === 'foreign') return 'Not delivered: others’ commits would go with it'
      return isProposal(task)
        ? `Not proposed for ${pull?.into}: mend that, then try again`
        : `Not merged into ${into}: mend that, then try again`
    case 'delivering':
      return underWay(phase, into)
    case 'merged':
      return `Merged into ${into}`
    case 'undone':
      return 'The merge was undone'
    case 'conflict':
      return refusal === 'diverged'
        ? `Not merged: ${into} has gone on, so it takes a commit`
        : `Not merged: it conflicts with ${into}`
    case 'rejected':
      return refusal === 'setup'
        ? `Not merged: setup fails on ${into} with it`
        : `Not merged: the test fails on ${into} with it`
    case 'pr_open':
      return pull?.draft === true ? 'A draft of a pull request is open' : 'A pull request is open'
    case 'pr_merged':
      return 'Its pull request was merged'
    case 'pr_closed':
      return 'Its pull request was closed'
    case 'superseded':
      return 'Another task changes this work'
    case 'discarded':
      return 'Its work was thrown away'
  }
}

function underWay(phase: Task['phase'], into: string): string {
  switch (phase) {
    case 'undo':
      return `The merge into ${into} is being undone…`
    case 'push':
      return 'The branch is being pushed…'
    case 'pull_open':
      return 'The pull request is being opened…'
    case 'merge_setup':
    case 'merge_test':
      return `What merging into ${into} comes to is being tested…`
    case 'merge_move':
      return `${into} is being moved…`
    default:
      return `Merging into ${into}…`
  }
}

/** Whether it is a name of the configuration, and not a path: browsers get no more of the domain than its words. */
const isByUrl = ({ path }: Task['repository']): boolean => !path.startsWith('/')

/** What a merge does besides, for its form: the branch may be one of a remote. */
export function mergeText({ test, repository }: Pick<Task, 'test' | 'repository'>): string {
  const tested =
    test === null
      ? 'It has no test: look at its changes first.'
      : 'What comes of it is tested before the branch moves.'
  return isByUrl(repository) ? `${tested} The branch is the remote’s: the merge is pushed there.` : tested
}

export function undoText({ merge, repository }: Pick<Task, 'merge' | 'repository'>): string {
  const back = `${merge?.into ?? 'The branch'} goes back to where it was, if nobody has moved it since.`
  return isByUrl(repository) ? `${back} That is pushed to the remote, which may refuse it.` : back
}

export function discardText({ kind, repository }: Pick<Task, 'kind' | 'repository'>): string {
  if (kind === 'question') return 'Your repository has nothing of it, and its answer stays on record.'
  return isByUrl(repository)
    ? 'Its work is removed here, and its branch in the mirror. What was pushed to the remote stays there.'
    : 'Its work is removed here. A branch that your repository was given stays there.'
}

const undelivered: ReadonlySet<Delivery> = new Set<Delivery>([
  'none',
  'undone',
  'conflict',
  'rejected',
  'pr_closed',
])

/** Applied work that is in nobody's branch, and not on its way there. */
export const isUndelivered = ({ kind, status, delivery }: Task): boolean =>
  kind === 'change' && status === 'APPLIED' && undelivered.has(delivery)
