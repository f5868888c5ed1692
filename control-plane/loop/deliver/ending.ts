import type { PullRefusal } from '../../../src/domain/delivery/pull.ts'
import type { Input } from '../../../src/domain/input.ts'
import { transition } from '../../../src/domain/transition/apply.ts'
import { offerOf } from '../../gate/surfaces.ts'
import type { Along } from '../../tasks.ts'
import type { Work } from '../work.ts'
import { pullOf } from './plan.ts'

/** The end of a delivery, which leaves something else to be decided. */
export function end(work: Work, input: Input, along: Along = {}): void {
  const { deps, task } = work
  const after = transition(task, input, deps.clock())
  if (after.kind === 'refused') throw new Error(after.text)
  work.report(input, { ...along, surface: { closeAll: true, ...offerOf(after.task, deps.clock()) } })
}

/** There is no pull request, and the work can be delivered in another way, or in the same way once that is mended. */
export function refuse(work: Work, reason: string, why: PullRefusal = 'other'): void {
  const said = work.deps.secrets.redact(`Not proposed for ${pullOf(work.task).into}: ${reason}`)
  end(work, { type: 'pull_refused', why, text: said })
}
