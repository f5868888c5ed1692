import type { BoxKind } from '../../src/domain/box.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { withBox } from './attempts.ts'
import { boxOf, type Wanted } from './boxes.ts'
import type { Work } from './work.ts'

/**
 * Computes the box of an attempt and records the intent to run it. The next turn runs it. `want` may write to the worktree:
 * by then the box of a lost attempt, which may still have been writing to it, is gone.
 * @param agent the one that is to be in the image
 */
export async function begin(
  work: Work,
  row: Checkpoint,
  want: () => Promise<Wanted> | Wanted,
  agent = work.task.agent.name,
): Promise<void> {
  const { deps, task } = work
  const image = await deps.engine.image({ agent, repository: task.repository.path })
  await removeEarlier(work, row)
  const wanted = await want()
  if (work.signal.aborted) return
  const { kind } = wanted
  const spec = boxOf(deps, task, row, image, wanted)
  // Not the log of this turn: it has the step and the attempt that were before this one.
  const { step, attempt } = row
  const about = { task: task.id, step, attempt, phase: task.phase }
  deps.log.info({ ...about, box: spec.name, specHash: deps.specHash(spec), spec }, 'box planned')
  work.report(
    {
      type: 'begun',
      step: row.step,
      attempt: row.attempt,
      text: beginText(kind, row, task.budget.steps),
      consumed: kind === 'agent' ? task.instruction : null,
    },
    { checkpoints: [withBox(row, spec)], data: { box: spec.name, kind } },
  )
}

/** Boxes of lost attempts at this step, which an engine that came back may still have. */
async function removeEarlier({ deps, task }: Work, row: Checkpoint): Promise<void> {
  if (row.attempt === 1) return
  for (const earlier of deps.store.checkpoints(task.id, row.step)) {
    const lost = earlier.step === row.step && earlier.attempt < row.attempt && earlier.state === 'dropped'
    if (lost && earlier.box !== null) await deps.engine.remove(earlier.box.name)
  }
}

function beginText(kind: BoxKind, row: Checkpoint, steps: number): string {
  const attempt = row.attempt === 1 || row.step === 0 ? '' : `, attempt ${row.attempt}`
  switch (kind) {
    case 'setup':
      return 'Setup starts; it reaches the package registries of this machine and nothing else.'
    case 'baseline':
      return 'The test runs on the base first.'
    case 'agent':
      return `Step ${row.step}/${steps}${attempt}: the agent starts.`
    case 'test':
      return `Step ${row.step}/${steps}${attempt}: the test starts.`
  }
}
