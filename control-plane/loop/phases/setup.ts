import { fewOf } from '../../../src/domain/text.ts'
import { setupBox } from '../boxes.ts'
import { afterPreparation } from '../entry.ts'
import { runPreparation } from '../preparation.ts'
import { howOf, printedLast } from '../said.ts'
import { needed, placeOf, type Work } from '../work.ts'

/** Runs the setup command once, in a box that reaches the package registries, and keeps what it left in ignored folders. */
export async function setup(work: Work): Promise<void> {
  const { deps, task } = work
  const ran = await runPreparation(work, 'setup', async () => {
    const command = needed(task.setup, task, 'a setup command')
    const registries = await deps.registries()
    for (const text of registries.notes) work.report({ type: 'noticed', text })
    return setupBox(task, command, task.head, registries)
  })
  if (ran === null) return
  const { result, done } = ran
  if (result.end !== 'exited' || result.exitCode !== 0) {
    const text = `Setup failed (${howOf(result)}). Resume tries the same again; to change it, start a new task with another --setup. ${printedLast(result.output)}`
    work.report({ type: 'halted', reason: 'setup', text }, { checkpoints: [done] })
    return
  }
  const place = placeOf(task)
  const setupKey = await deps.worktrees.setupKey(place, task.head)
  const left = await deps.worktrees.keepSetup(place, setupKey)
  const dropped =
    left.dropped.length === 0
      ? ''
      : ` Not kept: ${fewOf(left.dropped.map(({ path, why }) => `${path} (${why})`))}.`
  const text = `Setup done; kept ${left.kept.length === 0 ? 'nothing' : fewOf(left.kept)}.${dropped}`
  const phase = afterPreparation({ ...task, setupKey })
  work.report(
    { type: 'advanced', phase, text, facts: { setupKey } },
    { checkpoints: [{ ...done, state: 'kept' }], data: left },
  )
}
