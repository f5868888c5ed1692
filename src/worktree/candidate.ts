import type { CommitId, TreeId } from '../domain/brand.ts'
import { isManifest } from '../domain/setup.ts'
import type { CandidateResult, DiffStat, LeftOut, TaskPlace } from '../domain/worktree.ts'
import { cleanse } from './cleanse.ts'
import { copyIndex } from './files.ts'
import { rememberTrees, treesOf, withHidden, type Trees } from './filtered.ts'
import { diffTreeArgs, parseDifferences, refusals, type Difference, type Differences } from './gate.ts'
import { durable, type GitPlace } from './hardening.ts'
import { at, indexFile, layoutOf, worktreePlace, type TaskLayout } from './layout.ts'
import { putIn, takeIn, takeOut } from './index-update.ts'
import type { Memory } from './memory.ts'
import { writeCommit } from './objects.ts'
import { offendersIn, undoneBecause, type Offender } from './offenders.ts'
import { planOf } from './plan.ts'
import { rawFrom, textOf } from './raw.ts'
import { writeRef } from './refs.ts'
import { lost, type Examined } from './seen.ts'
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
  await cleanse(site.data, layout.worktree, seen.disk)
  const plan = planOf(
    seen,
    memory.base.hidden.map(({ path }) => path),
  )
  await refuseTooMuch(layout.worktree, plan.add, task.policy.limits.worktreeMb)
  memory.clean = null
  const trees = await treesOf(site, task, memory, parent)
  const same = plan.add.length === 0 && plan.remove.length === 0
  if (same && seen.touched.length === 0) {
    if (!lost(seen)) memory.clean = { extras: plan.extras }
    return unchanged(parent, trees.tree, plan.leftOut)
  }
  const generation = memory.state.generation + 1
  const next = worktreePlace(layout, generation)
  await copyIndex(indexFile(layout, generation - 1), next.index)
  // Git would not look again at what it takes for known, so that goes out first.
  await takeOut(site, next, [...plan.remove, ...seen.touched])
  const refused = await takeIn(site, next, [...plan.add, ...seen.touched])
  const first = same ? trees : await treesFrom(site, task, memory, next)
  const all = await differencesOf(site, layout, trees, first)
  const violations = refusals(all.differences, site.policyMatcher(task.policy))
  if (violations.length > 0) return { kind: 'refused', violations }
  const offenders = await offendersIn(site, layout.gitDir, all, first.tree)
  await putBack(site, next, offenders)
  const made = offenders.length === 0 ? first : await treesFrom(site, task, memory, next)
  const leftOut = [...offenders.map(undoneBecause), ...plan.leftOut, ...refused]
  const settle = (at: CommitId, now: Trees): void => {
    memory.state = settleAt(site, task, { at, tree: now.tree, filtered: now.filtered, generation })
    // What was put back is not yet so on disk: the next restore looks.
    const whole = offenders.length === 0 && !lost(seen)
    memory.clean = whole ? { extras: [...plan.extras, ...refused.map(({ path }) => rawFrom(path))] } : null
    dropIndex(layout, generation - 1)
  }
  if (made.tree === trees.tree) {
    settle(parent, trees)
    return unchanged(parent, trees.tree, leftOut)
  }
  const { differences, stat, fresh } =
    offenders.length === 0 ? all : await differencesOf(site, layout, trees, made)
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

async function differencesOf(
  site: Site,
  { gitDir }: TaskLayout,
  from: Trees,
  to: Trees,
): Promise<Differences> {
  if (from.tree === to.tree) return parseDifferences(Buffer.alloc(0))
  return parseDifferences(await site.git.run({ gitDir }, [...diffTreeArgs, from.tree, to.tree]))
}

/** Makes an index hold at these paths what it did before the step. */
async function putBack(site: Site, place: GitPlace, offenders: readonly Offender[]): Promise<void> {
  const entries = offenders.map(({ difference: { path, before, idBefore } }) => ({
    path,
    mode: before,
    id: idBefore,
  }))
  const isNew = ({ mode }: { mode: string }): boolean => mode === '000000'
  await takeOut(
    site,
    place,
    entries.filter(isNew).map(({ path }) => path),
  )
  await putIn(
    site,
    place,
    entries.filter((entry) => !isNew(entry)),
  )
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
