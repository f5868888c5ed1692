import type { CommitId, HostPath, TreeId } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import type { Merged, MergeWish, TaskPlace } from '../../domain/worktree.ts'
import { gitFailure } from '../git.ts'
import { durable } from '../hardening.ts'
import { mirrorOf } from '../layout.ts'
import { leadsTo } from '../leads-to.ts'
import { refuseLost } from '../lost.ts'
import { ensureMirror, fetchCommit } from '../mirror.ts'
import { parts, textOf } from '../raw.ts'
import { readRef, writeRef } from '../refs.ts'
import type { Site } from '../site.ts'
import { asRepository } from '../source.ts'
import { followingOf } from './checkout-follows.ts'
import { refuseLineEnds } from './line-ends.ts'
import { Refused, type Target, targetOf } from './target.ts'

/**
 * Makes the commit that a branch of the source would be moved to, in the mirror, where nobody sees it. What would keep the
 * branch from being moved is found now, before a test is run for nothing.
 */
export async function mergeInto(
  site: Site,
  task: TaskPlace,
  head: CommitId,
  wish: MergeWish,
): Promise<Merged> {
  const { mirror, target } = await bringTarget(site, task, head, wish.into)
  const from = target.tip
  const place = { gitDir: mirror }
  if (await leadsTo(site.git, place, head, from)) return { kind: 'contained', from }
  if (wish.since !== null && !(await leadsTo(site.git, place, wish.since, from))) {
    // Nobody could accept others' commits that cannot be merged.
    if ((await site.git.ask(place, ['merge-base', from, head])).code === 1) throw unrelated(target)
    const count = await site.git.line(place, ['rev-list', '--count', `${from}..${wish.since}`])
    return { kind: 'foreign', from, commits: Number(count) }
  }
  if (wish.how === 'fast-forward') {
    if (!(await leadsTo(site.git, place, from, head))) return { kind: 'diverged', from }
    await refuseUnmovable(site, mirror, target, head)
    return { kind: 'made', from, commit: head, sameTree: true }
  }
  const tree = await mergedTree(site, mirror, target, head)
  if (typeof tree !== 'string') return { kind: 'conflict', from, paths: tree.paths }
  const trees = await site.git.line(place, ['rev-parse', `${from}^{tree}`, `${head}^{tree}`])
  const [treeThere, treeOfWork] = trees.split('\n')
  if (tree === treeThere) return { kind: 'contained', from }
  const commit = await commitTree(site, mirror, tree, wish.how === 'merge' ? [from, head] : [from], wish)
  await writeRef(mirror, `refs/cofferdam/${task.id}/merged`, commit)
  await refuseUnmovable(site, mirror, target, commit)
  return { kind: 'made', from, commit, sameTree: tree === treeOfWork }
}

/** What delivering the work now would change in the branch, as a diff; a conflict is a `Failure('conflict')` that names it. */
export async function diffInto(
  site: Site,
  task: TaskPlace,
  head: CommitId,
  branch: string,
): Promise<{ readonly from: CommitId; readonly to: TreeId }> {
  const { mirror, target } = await bringTarget(site, task, head, branch)
  const tree = await mergedTree(site, mirror, target, head)
  if (typeof tree === 'string') return { from: target.tip, to: tree }
  throw new Failure(
    'conflict',
    `${branch} and the task have both changed ${tree.paths.join(', ')}: there is no diff of what a merge would do.`,
  )
}

/** The mirror with the tip of the branch in it. */
async function bringTarget(
  site: Site,
  task: TaskPlace,
  head: CommitId,
  branch: string,
): Promise<{ mirror: HostPath; target: Target }> {
  await ensureMirror(site, task)
  const mirror = mirrorOf(site.data, task.repository.key)
  await refuseLost(site, task, head)
  const target = await targetOf(site, task, branch)
  const ref = `refs/cofferdam/${task.id}/target`
  await site.serial(`mirror ${task.repository.key}`, async () => {
    if (readRef(mirror, ref) === target.tip) return
    // It was fetched as it was looked at, or as the task began from it: whatever becomes of it there, here it stays.
    if (target.source.remote === true || target.tip === task.base.commit)
      return await writeRef(mirror, ref, target.tip)
    await asRepository(target.source, () => fetchCommit(site, target.source, mirror, `+${target.tip}:${ref}`))
  })
  return { mirror, target }
}

async function refuseUnmovable(site: Site, mirror: HostPath, target: Target, to: CommitId): Promise<void> {
  const { source, branch, tip: from } = target
  if (source.remote !== true) {
    const { how, folder } = await followingOf(site, mirror, target, to)
    // Asked of a merge alone: an undo brings back what was there.
    if (how === 'follows' && folder !== null) await refuseLineEnds(site, mirror, target, folder, to)
    return
  }
  const why = await site.remotes.rehearse(source.top, { branch, from, to, back: false })
  if (why !== null) throw new Refused(why)
}

/** The tree of both, or the paths that both have changed in ways that do not go together. */
async function mergedTree(
  site: Site,
  mirror: HostPath,
  target: Target,
  head: CommitId,
): Promise<TreeId | { readonly paths: readonly string[] }> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', target.tip, head]
  const { code, out, err } = await site.git.ask({ gitDir: mirror }, args, { config: durable })
  if (code > 1 || (code === 1 && out.length === 0)) {
    if (/usage:|unknown option/.test(err))
      throw new Failure('worktree', 'To merge, git 2.38 or newer is needed: install that.')
    if (/unrelated histories/.test(err)) throw unrelated(target)
    throw gitFailure('merge-tree', err)
  }
  const [tree, ...paths] = parts(out).map(textOf)
  if (code === 0) return (tree ?? '').trim() as TreeId
  return { paths: [...new Set(paths)].filter((path) => path !== '') }
}

function unrelated({ branch }: Target): Refused {
  return new Refused(
    `${branch} shares no history with what the task began from: it was replaced since. Name another branch with \`--into\`, or have the work done anew by a task that begins from ${branch}.`,
  )
}

async function commitTree(
  site: Site,
  mirror: HostPath,
  tree: TreeId,
  parents: readonly CommitId[],
  { message, at }: MergeWish,
): Promise<CommitId> {
  const date = `${Math.floor(at / 1000)} +0000`
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-']
  return (await site.git.line({ gitDir: mirror }, args, {
    input: message,
    config: durable,
    env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  })) as CommitId
}
