import type { Agent, AgentResult } from '../../src/domain/agent.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { timeOf } from '../../src/domain/text.ts'
import { lossCap } from '../../src/domain/transition/table.ts'
import { type AgentNow, agentNow, conversationNow, lastAgent, providerPause } from './agent-now.ts'
import { closed } from './attempts.ts'
import type { Planned } from './under-way.ts'
import { reportViolation, violationsOf } from './violation.ts'
import { rowsOfParent, type Work } from './work.ts'

/** The agent that makes the attempt. */
export type Now = AgentNow & { readonly agent: Agent }

/**
 * What follows where an attempt failed in a way that has a rule of its own: the next one after a pause, by another agent or
 * in a conversation of its own, or a person. Nothing of such an attempt is kept, and it charges no step, unless it broke the
 * policy: then that is what follows from it.
 * @param row still open, with what the agent left
 * @returns false where the attempt counts as a step like any other
 */
export async function afterAgentError(
  work: Work,
  row: Planned & { readonly agent: AgentResult },
  now: Now,
): Promise<boolean> {
  const { deps, task } = work
  const { error, failure } = row.agent
  const text = failure ?? ''
  const before: readonly Checkpoint[] = deps.store
    .checkpoints(task.id)
    .filter(({ step, attempt }) => step < row.step || (step === row.step && attempt < row.attempt))
  const conversation = conversationNow(now.name, before, rowsOfParent(work))
  if (error === undefined || error === 'turns' || error === 'crash') return false
  // One that began anew is a step like any other: the next would fill as fast.
  if ((error === 'context' || error === 'session') && conversation === null) return false

  // What was done to the tree counts, whatever is said of a provider.
  const violations = await violationsOf(work, row.box)
  if (violations.length > 0) {
    reportViolation(work, row, violations)
    return true
  }
  const attempts = before.filter(({ step }) => step === row.step)
  const dropped = closed(row, 'dropped', deps.clock())
  const next = agentNow(task.agent, [...attempts, dropped], lastAgent(before, row.step))
  const isOther = next.name !== now.name
  const again = (said: string): boolean =>
    work.report({ type: 'lost', text: said, by: 'agent' }, { checkpoints: [dropped] })
  switch (error) {
    case 'rate_limit':
    case 'overload': {
      const pause = providerPause(task.losses)
      const isLast = task.losses + 1 >= lossCap
      const what = isOther ? `${next.name} takes over.` : `It is tried again in ${timeOf(pause / 1000)}.`
      if (again(isLast ? text : `${text} ${what}`) && !isOther && !isLast) await work.rest(pause)
      return true
    }
    case 'auth':
      if (next.round === now.round) again(`${text} ${next.name} takes over.`)
      // Without what the agent left: a resume starts the step again, and does not take it for done.
      else work.report({ type: 'halted', reason: 'agent', text }, { checkpoints: [{ ...row, agent: null }] })
      return true
    case 'context':
    case 'session':
      again(`${text} The next attempt begins a new one.`)
      return true
  }
}
