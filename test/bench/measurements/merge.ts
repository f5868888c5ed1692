import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommitId } from '../../../src/domain/brand.ts'
import type { TaskPlace, Worktrees } from '../../../src/domain/worktree.ts'
import { git } from '../../support/repository.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { placed } from '../placed.ts'
import { bigFile, bigRepository } from '../repositories.ts'
import { median } from '../statistics.ts'
import { partsText } from '../steps.ts'

const fileCount = 5000
const changedFiles = 10

interface Ground {
  readonly worktrees: Worktrees
  readonly place: TaskPlace
  /** The task's work. */
  readonly head: CommitId
  /** A person's repository with `main` checked out, and a clone of it with the task's branch. */
  readonly source: string
  readonly clone: string
}

/**
 * Work that is merged into a branch that has gone on, with the clean checkout of the branch following, against `git merge` in a
 * clone. Without the test of what is merged, which is a box as any other.
 */
export const merge: Measurement = {
  names: ['merge_5k'],
  rounds: 10,
  async run(lab, rounds) {
    const ground = await layOut(lab)
    const ours: Map<string, number>[] = []
    const floors: number[] = []
    // The first round is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      const [own, plain] = [await merged(ground, round), plainMerge(ground, round)]
      if (round === 0) continue
      ours.push(own)
      floors.push(plain)
    }
    return {
      measured: [
        {
          name: 'merge_5k',
          value: median(ours.map((each) => (each.get('merge') ?? 0) + (each.get('move') ?? 0))),
          unit: 'ms',
          floor: median(floors),
          reach: { of: 'ratio', limit: 'most', than: 10 },
        },
      ],
      notes: [
        `${changedFiles} of ${fileCount} files, into a branch with a commit of its own: ${partsText(ours)}`,
      ],
    }
  },
}

async function layOut(lab: Lab): Promise<Ground> {
  const source = join(lab.fresh('merge-source'), 'source')
  git(lab.folder, 'clone', '-q', bigRepository(lab, fileCount), source)
  const { worktrees, place, worktree } = await placed(lab, 'merge', source)
  for (let count = 0; count < changedFiles; count += 1) change(worktree, count * 499, 'the task')
  const made = await worktrees.candidate(place, place.base.commit, 'Change ten files\n')
  if (made.kind !== 'made') throw new Error(`there is no candidate: ${JSON.stringify(made)}`)
  await worktrees.checkpoint(place, made.commit)
  await worktrees.handover(place, made.commit)
  const clone = join(lab.fresh('merge-clone'), 'clone')
  git(lab.folder, 'clone', '-q', source, clone)
  git(clone, 'branch', '-q', place.branch, made.commit)
  return { worktrees, place, head: made.commit, source, clone }
}

/** Merges the work as the loop does it, into a branch that has just gone on. */
async function merged(
  { worktrees, place, head, source }: Ground,
  round: number,
): Promise<Map<string, number>> {
  goOn(source, round)
  const begun = performance.now()
  const wish = {
    into: 'main',
    how: 'merge',
    since: place.base.commit,
    at: Date.now(),
    message: 'Merge\n',
  } as const
  const made = await worktrees.merge(place, head, wish)
  if (made.kind !== 'made') throw new Error(`there is no merge: ${JSON.stringify(made)}`)
  const between = performance.now()
  const { from, commit } = made
  const moved = await worktrees.move(place, { into: 'main', from, to: commit, back: false })
  if (moved.kind !== 'moved') throw new Error(`it is not moved: ${JSON.stringify(moved)}`)
  const ended = performance.now()
  if (git(source, 'status', '--porcelain') !== '') throw new Error('the checkout has not followed')
  git(source, 'reset', '-q', '--hard', from)
  return new Map([
    ['merge', between - begun],
    ['move', ended - between],
  ])
}

function plainMerge({ clone, place }: Ground, round: number): number {
  goOn(clone, round)
  const begun = performance.now()
  git(clone, 'merge', '-q', '--no-ff', '--no-edit', place.branch)
  const took = performance.now() - begun
  git(clone, 'reset', '-q', '--hard', 'HEAD^')
  return took
}

/** One more commit on `main`, of a file that the task has not changed. */
function goOn(repository: string, round: number): void {
  change(repository, round * 499 + 1, `round ${round}`)
  git(repository, 'commit', '-q', '-a', '-m', `Go on ${round}`)
}

function change(tree: string, index: number, by: string): void {
  appendFileSync(join(tree, bigFile(index)), `// ${by}\n`)
}
