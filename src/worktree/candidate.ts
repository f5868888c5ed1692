import type { CommitId, TreeId } from '../domain/brand.ts'
import { isManifest } from '../domain/setup.ts'
import type { CandidateResult, DiffStat, LeftOut, TaskPlace } from '../domain/worktree.ts'
import { cleanse } from './cleanse.ts'
import { copyIndex } from './files.ts'
import { rememberTrees, treesOf, withHidden } from './filtered.ts'
import { diffTreeArgs, parseDifferences, refusals } from './gate.ts'
import { gitFailure } from './git.ts'
import { durable, type GitPlace } from './hardening.ts'
import { indexFile, layoutOf, worktreePlace } from './layout.ts'
import type { Memory } from './memory.ts'
import { planOf, type Plan } from './plan.ts'
import { nulled, rawFrom, textOf } from './raw.ts'
import type { Examined } from './seen.ts'
import type { Site } from './site.ts'
import { dropIndex, seal } from './state.ts'

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
  memory.clean = null
  const trees = await treesOf(site, task, memory, parent)
  if (plan.add.length === 0 && plan.remove.length === 0) {
    memory.clean = { extras: plan.extras }
    return unchanged(parent, trees.tree, plan.leftOut)
  }
  const generation = memory.state.generation + 1
  const next = worktreePlace(layout, generation)
  await copyIndex(indexFile(layout, generation - 1), indexFile(layout, generation))
  const refused = await update(site, next, plan)
  const leftOut = [...plan.leftOut, ...refused]
  const filtered = (await site.git.line(next, ['write-tree'], { config: durable })) as TreeId
  const settle = async (at: CommitId, tree: TreeId): Promise<void> => {
    memory.state = await seal(site, task, { at, tree, filtered, generation })
    memory.clean = { extras: [...plan.extras, ...refused.map(({ path }) => rawFrom(path))] }
    await dropIndex(layout, generation - 1)
  }
  const tree = await withHidden(site, task, memory, next, filtered)
  if (tree === trees.tree) {
    await settle(parent, tree)
    return unchanged(parent, tree, leftOut)
  }
  const place = { gitDir: layout.gitDir }
  const raw = await site.git.run(place, [...diffTreeArgs, '--raw', '--numstat', trees.tree, tree])
  const { differences, stat } = parseDifferences(raw)
  const violations = refusals(differences, site.policyMatcher(task.policy))
  if (violations.length > 0) return { kind: 'refused', violations }
  const commit = (await site.git.line(place, ['commit-tree', '-p', parent, '-F', '-', tree], {
    input: message,
    config: durable,
  })) as CommitId
  await site.git.run(place, ['update-ref', `refs/cofferdam/${task.id}/candidate`, commit], {
    config: durable,
  })
  const key = memory.setupKeys.get(parent)
  const sameSetup = !differences.some(({ path }) => isManifest(textOf(path)))
  if (key !== undefined && sameSetup) memory.setupKeys.set(commit, key)
  await rememberTrees(site, task, commit, { tree, filtered })
  await settle(commit, tree)
  return { kind: 'made', commit, tree, changed: true, leftOut, stat }
}

function unchanged(commit: CommitId, tree: TreeId, leftOut: readonly LeftOut[]): CandidateResult {
  return { kind: 'made', commit, tree, changed: false, leftOut, stat: nothing }
}

/** Writes the plan into an index. Answers what git would not take: names that are dangerous to it. */
async function update(site: Site, place: GitPlace, plan: Plan): Promise<readonly LeftOut[]> {
  const feed = async (flags: readonly string[], paths: Plan['add']): Promise<string> => {
    if (paths.length === 0) return ''
    const options = { input: nulled(paths), config: durable }
    const answer = await site.git.ask(place, ['update-index', ...flags, '-z', '--stdin'], options)
    if (answer.code !== 0) throw gitFailure('update-index', answer.err)
    return answer.err
  }
  await feed(['--force-remove'], plan.remove)
  const said = await feed(['--add', '--remove', '--replace'], plan.add)
  if (!said.includes('Ignoring path ')) return []
  return plan.add
    .map(textOf)
    .filter((path) => said.includes(`Ignoring path ${path}\n`))
    .map((path) => ({ path, why: 'a name that git refuses' }))
}
