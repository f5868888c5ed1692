import { mergeMessage } from '../../../src/domain/delivery/message.ts'
import type { MergePhase } from '../../../src/domain/input.ts'
import { isByName } from '../../../src/domain/remote.ts'
import { quotedInline } from '../../../src/domain/shell.ts'
import { rulesOf } from '../../../src/domain/standing.ts'
import type { Task } from '../../../src/domain/task.ts'
import { counted, fewOf } from '../../../src/domain/text.ts'
import type { Merged } from '../../../src/domain/worktree.ts'
import { originOf } from '../marks.ts'
import { placeOf, type Work } from '../work.ts'
import { end } from './ending.ts'
import { planOf } from './plan.ts'

/** Makes the commit that the branch is to be moved to, where nobody sees it yet, and finds out what would not let it. */
export async function merge(work: Work): Promise<void> {
  const { deps, task } = work
  const { into, how, at, accepted } = planOf(task)
  const message = mergeMessage(task, into, how, (text) => deps.secrets.redact(text))
  const since = accepted.includes('foreign') ? null : originOf(deps.store, task)
  const made = await deps.worktrees.merge(placeOf(task), task.head, { into, how, since, at, message })
  switch (made.kind) {
    case 'contained':
      end(work, { type: 'merged', at: made.from, text: `${into} has this work already: nothing was moved.` })
      return
    case 'foreign':
      end(work, { type: 'merge_refused', why: 'foreign', text: foreignText(task, into, made.commits) })
      return
    case 'diverged':
      end(work, {
        type: 'merge_refused',
        why: 'diverged',
        text: `Not merged: ${into} has gone on since ${task.branch} began, so it cannot just be moved forward. Merge with a commit of its own, or as one commit.`,
      })
      return
    case 'conflict':
      end(
        work,
        { type: 'merge_refused', why: 'conflict', text: conflictText(task, into, made.paths) },
        { data: { paths: made.paths.slice(0, mostPaths), from: made.from } },
      )
      return
    case 'made':
      await afterwards(work, made)
  }
}

function foreignText(task: Task, into: string, commits: number): string {
  const { id, base } = task
  const accept = [...rulesOf(task), 'foreign'].join(',')
  const branch = quotedInline(into)
  return `Not merged: ${into} does not hold the commit of ${base.ref} that the work began from, so ${counted(commits, 'commit')} would come with it that are not this task's. Look at \`cofferdam task diff ${id} --against ${branch}\`; an owner merges them too with \`cofferdam task merge ${id} --into ${branch} --accept ${accept}\`.`
}

/** So many paths are kept with the event. */
const mostPaths = 200

function conflictText(
  { id, branch, repository, parentTaskId }: Task,
  into: string,
  paths: readonly string[],
): string {
  const byHand = isByName(repository.path)
    ? `bring what \`cofferdam task diff ${id}\` prints into a clone of ${repository.path} by hand`
    : `merge ${branch} by hand in ${repository.path}`
  // A follow-up's own goal speaks of work that a new task does not find.
  const goal =
    parentTaskId === null ? 'its goal' : `the goal of task ${parentTaskId}, with what was asked for since,`
  return `Not merged: ${into} and the task have both changed ${fewOf(paths)}, in ways that do not go together. Give ${goal} to a new task, which begins at ${into} as it is now, or ${byHand}.`
}

/** What comes next: what holds the tree that was tested already needs no other test. */
async function afterwards(work: Work, { from, commit, sameTree }: Extract<Merged, { kind: 'made' }>) {
  const { deps, task } = work
  const { into } = planOf(task)
  const what = `${commit.slice(0, 10)} is what ${into} will be`
  const advance = (phase: MergePhase, why: string): void => {
    work.report({ type: 'merge_advanced', phase, text: `${what}; ${why}`, made: { from, commit } })
  }
  if (task.test === null) return advance('merge_move', 'not tested: the task has no test command.')
  if (sameTree && task.outcome === 'tested')
    return advance('merge_move', 'it holds exactly what the task’s last test has passed on.')
  const place = placeOf(task)
  await deps.worktrees.open(place)
  if (task.setup === null) return advance('merge_test', 'it is tested first.')
  const key = await deps.worktrees.setupKey(place, commit)
  return (await deps.worktrees.setupIntact(place, key))
    ? advance('merge_test', 'it is tested first.')
    : advance('merge_setup', 'setup runs on it, and then the test.')
}
