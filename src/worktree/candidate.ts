import type { CommitId, TreeId } from '../domain/brand.ts'
import { isManifest } from '../domain/setup.ts'
import type { CandidateResult, DiffStat, LeftOut, TaskPlace } from '../domain/worktree.ts'
import { cleanse } from './cleanse.ts'
import { copyIndex } from './files.ts'
import { rememberTrees, treesOf, withHidden, type Trees } from './filtered.ts'
import { diffTreeArgs, parseDifferences, refusals, type Difference } from './gate.ts'
import { durable, type GitPlace } from './hardening.ts'
import { at, indexFile, layoutOf, worktreePlace } from './layout.ts'
import { takeIn, takeOut } from './index-update.ts'
import type { Memory } from './memory.ts'
import { writeCommit } from './objects.ts'
import { planOf } from './plan.ts'
import { rawFrom, textOf } from './raw.ts'
import { writeRef } from './refs.ts'
import type { Examined } from './seen.ts'
import type { Site } from './site.ts'
import { dropIndex, settleAt } from './state.ts'
import { refuseTooMuch } from './weight.ts'

const nothing: DiffStat = { files: 0, insertions: 0, deletions: 0 }

/** Commits what was seen on top of `parent`, on the task's candidate ref. */
export async function makeCandidate(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  seen: Examined,
  parent: CommitId,
  message: string,
): Promise<CandidateResult> {
  const layout = layoutOf(site.data, task)
  await cleanse(layout.worktree, seen.disk)
  const plan = planOf(
    seen,
    memory.base.hidden.map(({ path }) => path),
  )
  await refuseTooMuch(layout.worktree, plan.add, task.policy.limits.worktreeMb)
  memory.clean = null
  const trees = await treesOf(site, task, memory, parent)
  const same = plan.add.length === 0 && plan.remove.length === 0
  if (same && seen.touched.length === 0) {
    memory.clean = { extras: plan.extras }
    return unchanged(parent, trees.tree, plan.leftOut)
  }
  const generation = memory.state.generation + 1
  const next = worktreePlace(layout, generation)
  await copyIndex(indexFile(layout, generation - 1), next.index)
  // Git would not look again at what it takes for known, so that goes out first.
  await takeOut(site, next, [...plan.remove, ...seen.touched])
  const refused = await takeIn(site, next, [...plan.add, ...seen.touched])
  const leftOut = [...plan.leftOut, ...refused]
  const settle = (at: CommitId, now: Trees): void => {
    memory.state = settleAt(site, task, { at, tree: now.tree, filtered: now.filtered, generation })
    memory.clean = { extras: [...plan.extras, ...refused.map(({ path }) => rawFrom(path))] }
    dropIndex(layout, generation - 1)
  }
  const made = same ? trees : await treesFrom(site, task, memory, next)
  if (made.tree === trees.tree) {
    settle(parent, trees)
    return unchanged(parent, trees.tree, leftOut)
  }
  const place = { gitDir: layout.gitDir }
  const raw = await site.git.run(place, [...diffTreeArgs, trees.tree, made.tree])
  const { differences, stat, fresh } = parseDifferences(raw)
  const violations = refusals(differences, site.policyMatcher(task.policy))
  if (violations.length > 0) return { kind: 'refused', violations }
  const commit = await commitTree(site, task, parent, made.tree, message)
  rememberSetupKey(memory, parent, commit, differences)
  rememberTrees(site, task, commit, made)
  settle(commit, made)
  memory.grown =
    memory.base.hidden.length === 0
      ? { from: trees.filtered, to: made.filtered, objects: [...fresh, made.filtered] }
      : null
  return { kind: 'made', commit, tree: made.tree, changed: true, leftOut, stat }
}

async function treesFrom(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  place: Required<GitPlace>,
): Promise<Trees> {
  const filtered = (await site.git.line(place, ['write-tree'], { config: durable })) as TreeId
  return { tree: await withHidden(site, task, memory, place, filtered), filtered }
}

async function commitTree(
  site: Site,
  task: TaskPlace,
  parent: CommitId,
  tree: TreeId,
  message: string,
): Promise<CommitId> {
  const { mirror } = layoutOf(site.data, task)
  const { author } = site
  const wanted = { tree, parent, author, at: site.clock(), message }
  const commit = await writeCommit(at(mirror, 'objects'), task.id, wanted, true)
  await writeRef(mirror, `refs/cofferdam/${task.id}/candidate`, commit)
  return commit
}

/** A step that changes no manifest leaves the setup key as it is. */
function rememberSetupKey(
  memory: Memory,
  parent: CommitId,
  commit: CommitId,
  differences: readonly Difference[],
): void {
  const key = memory.setupKeys.get(parent)
  if (key === undefined || differences.some(({ path }) => isManifest(textOf(path)))) return
  memory.setupKeys.set(commit, key)
}

function unchanged(commit: CommitId, tree: TreeId, leftOut: readonly LeftOut[]): CandidateResult {
  return { kind: 'made', commit, tree, changed: false, leftOut, stat: nothing }
}
