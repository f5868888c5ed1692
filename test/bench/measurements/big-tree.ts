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

const fileCount = 50_000
const changedFiles = 10

interface Ground {
  readonly worktrees: Worktrees
  readonly place: TaskPlace
  readonly worktree: string
  /** A plain clone of the same commit. */
  readonly clone: string
}

/** What a step costs on a tree of 50,000 files, against plain git on a clone of it. */
export const bigTree: Measurement = {
  names: ['verify_candidate_checkpoint_50k', 'verify_50k'],
  rounds: 10,
  async run(lab, rounds) {
    const ground = await layOut(lab)
    let head = ground.place.base.commit
    const ours: Map<string, number>[] = []
    const floors: Map<string, number>[] = []
    // The first round is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      const step = await stepOn(ground, head, round)
      head = step.head
      ours.push(step.parts)
      floors.push(plainGit(ground.clone, round))
    }
    const [steps, plain] = [ours.slice(1), floors.slice(1)]
    const sum = (all: readonly Map<string, number>[], ...names: readonly string[]): number =>
      median(all.map((parts) => names.reduce((ms, name) => ms + (parts.get(name) ?? 0), 0)))
    return {
      measured: [
        {
          name: 'verify_candidate_checkpoint_50k',
          value: sum(steps, 'verify', 'candidate', 'checkpoint'),
          unit: 'ms',
          floor: sum(plain, 'status', 'add', 'commit'),
          reach: { of: 'ratio', limit: 'most', than: 1.5 },
        },
        {
          name: 'verify_50k',
          value: sum(steps, 'verify unchanged'),
          unit: 'ms',
          floor: sum(plain, 'status unchanged'),
          reach: { of: 'ratio', limit: 'most', than: 2.5 },
        },
      ],
      notes: [`on 50,000 files: ${partsText(steps)}`, `plain git there: ${partsText(plain)}`],
    }
  },
}

async function layOut(lab: Lab): Promise<Ground> {
  const repository = bigRepository(lab, fileCount)
  const task = await placed(lab, 'big', repository)
  const clone = join(lab.fresh('big-clone'), 'clone')
  git(lab.folder, 'clone', '-q', repository, clone)
  return { ...task, clone }
}

/** What the loop does to a tree in one step, without its box. */
async function stepOn(
  { worktrees, place, worktree }: Ground,
  head: CommitId,
  round: number,
): Promise<{ parts: Map<string, number>; head: CommitId }> {
  const parts = new Map<string, number>()
  const timed = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const begun = performance.now()
    const result = await act()
    parts.set(name, performance.now() - begun)
    return result
  }
  await timed('restore', () => worktrees.restore(place, head))
  await timed('listing', () => worktrees.listing(place))
  await worktrees.materials(place).locate({ kind: 'worktree', path: '' })
  await timed('verify unchanged', () => worktrees.verify(place, head))
  await worktrees.materials(place).locate({ kind: 'worktree', path: '' })
  change(worktree, round)
  const violations = await timed('verify', () => worktrees.verify(place, head))
  const made = await timed('candidate', () => worktrees.candidate(place, head, `Change ${round}\n`))
  if (violations.length > 0 || made.kind === 'refused' || made.stat.files !== changedFiles)
    throw new Error(`the candidate is not the change that was made: ${JSON.stringify({ violations, made })}`)
  await timed('checkpoint', () => worktrees.checkpoint(place, made.commit))
  return { parts, head: made.commit }
}

function plainGit(clone: string, round: number): Map<string, number> {
  const parts = new Map<string, number>()
  const timed = (name: string, ...args: readonly string[]): void => {
    const begun = performance.now()
    git(clone, ...args)
    parts.set(name, performance.now() - begun)
  }
  timed('status unchanged', 'status')
  change(clone, round)
  timed('status', 'status')
  timed('add', 'add', '-A')
  timed('commit', 'commit', '-q', '-m', `Change ${round}`)
  return parts
}

/** Changes ten files, others in every round. */
function change(tree: string, round: number): void {
  for (let count = 0; count < changedFiles; count += 1) {
    const index = (round * 997 + count * 4999) % fileCount
    appendFileSync(join(tree, bigFile(index)), `// round ${round}\n`)
  }
}
