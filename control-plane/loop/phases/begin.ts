import type { BoxKind, BoxRequest, BoxSpec } from '../../../src/domain/box.ts'
import { boxSeconds } from '../../../src/domain/budget.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { withBox } from '../attempts.ts'
import type { Work } from '../work.ts'

type Wanted = Pick<BoxRequest, 'argv' | 'env' | 'commit' | 'listing' | 'setupFolders'>

/** Computes the box of an attempt and records the intent to run it. The next turn runs it. */
export async function begin(work: Work, row: Checkpoint, kind: BoxKind, wanted: Wanted): Promise<void> {
  const { deps, task } = work
  const image = await deps.engine.image()
  await removeEarlier(work, row)
  if (work.signal.aborted) return
  const spec = deps.compile({
    ...wanted,
    installation: deps.installation,
    kind,
    task: task.id,
    step: row.step,
    attempt: row.attempt,
    fence: task.fence,
    image,
    user: deps.user,
    seconds: boxSeconds(task, kind),
    policy: task.policy,
  })
  work.log.info({ box: spec.name, specHash: deps.specHash(spec), spec }, 'box planned')
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
export async function removeEarlier({ deps, task }: Work, row: Checkpoint): Promise<void> {
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
      return 'Setup starts, with the network of the engine.'
    case 'baseline':
      return 'The test runs on the base first.'
    case 'agent':
      return `Step ${row.step}/${steps}${attempt}: the agent starts.`
    case 'test':
      return `Step ${row.step}/${steps}${attempt}: the test starts.`
  }
}

/** How a shell command given by a person is run in a box. */
export function shell(command: string): readonly string[] {
  return ['/bin/sh', '-c', command]
}

/** A row of intent: it names the box that is to be run. */
export type Planned = Checkpoint & { readonly box: BoxSpec }

/** The row of intent whose box of this kind is to be run now, or null where it must be made first. */
export function planned(work: Work, kind: BoxKind): Planned | null {
  const row = work.deps.store.openCheckpoint(work.task.id)
  return row?.box?.kind === kind ? { ...row, box: row.box } : null
}
