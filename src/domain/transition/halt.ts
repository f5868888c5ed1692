import { left } from '../budget.ts'
import type { AnswerVerdict, Input } from '../input.ts'
import { noReason } from '../markers.ts'
import type { Halt, Task } from '../task.ts'
import { counted, fewOf, timeOf } from '../text.ts'
import { stuckAfter } from '../verdict.ts'
import type { Row } from './table.ts'

/** Why a task that an input takes to `to` is halted, and what to do next; null where it is not. */
export function haltOf(to: Row['to'], task: Task, input: Input): Halt | null {
  switch (input.type) {
    case 'stopped':
      return {
        reason: 'stopped',
        text: input.text ?? `A person stopped it; resume ${afterStop(task)}.`,
      }
    case 'paused':
      return { reason: 'paused', text: 'A person paused it; resume goes on.' }
    case 'rejected':
      return { reason: 'rejected', text: input.text ?? 'A person rejected it.' }
    case 'budget_spent':
      return budgetHalt(task, input.reason)
    case 'halted':
    case 'failed':
      return { reason: input.reason, text: input.text }
    case 'lost':
      return to === 'FAILED' ? { reason: input.by ?? 'engine', text: lostText(task.losses + 1, input) } : null
    case 'violated':
      if (to === 'TIMEOUT') return budgetHalt(task, 'steps')
      return to === 'FAILED' ? { reason: 'policy', text: violationText(task, input) } : null
    case 'checkpointed':
      return verdictHalt(task, input)
    case 'answered':
      return answerHalt(task, input.verdict)
    case 'postponed':
      return task.halt === null || task.halt.reason === 'disk'
        ? { reason: 'disk', text: input.text }
        : task.halt
    case 'salvaged':
    case 'discarded':
    case 'put_away':
    case 'noticed':
    case 'steered':
      return task.halt
    default:
      return null
  }
}

const afterStop = ({ kind }: Task): string =>
  kind === 'question' ? 'has it asked once more' : 'goes on from the last checkpoint'

function budgetHalt(task: Task, reason: 'time' | 'steps' | 'tokens' | 'cost'): Halt {
  const { budget } = task
  const what = {
    steps: counted(budget.steps, 'step'),
    time: timeOf(budget.seconds),
    tokens: counted(budget.tokens ?? 0, 'token'),
    cost: `${budget.costUsd ?? 0} USD`,
  }[reason]
  const short = shortOf(task, reason)
  const said =
    short === null
      ? `The budget of ${what} is used up`
      : `What is left of the budget of ${what} (${short} used) does not cover another call`
  return { reason, text: `${said}; resume it with a larger one to go on.` }
}

/** What is used of a budget that has some left, which the next call of a model would overrun; null where it is used up. */
function shortOf(task: Task, reason: 'time' | 'steps' | 'tokens' | 'cost'): string | null {
  const { tokens, costUsd } = left(task)
  if (reason === 'tokens' && tokens !== null && tokens > 0) return `${task.spent.tokens} are`
  if (reason === 'cost' && costUsd !== null && costUsd > 0) return `${task.spent.costUsd.toFixed(2)} are`
  return null
}

function lostText(losses: number, { text, by }: Extract<Input, { type: 'lost' }>): string {
  const next =
    by === 'agent'
      ? 'resume when it works again'
      : 'run "cofferdam doctor" and mend what it finds, then resume'
  return `Gave up after ${counted(losses, 'lost attempt')} in a row: ${next}. The last one: ${text}`
}

function violationText({ kind }: Task, input: Extract<Input, { type: 'violated' }>): string {
  const worst = input.violations.find((violation) => violation.what !== 'created') ?? input.violations[0]
  const next = 'Its step was undone: resume it with an instruction, or start a new task with another policy.'
  if (worst === undefined) return `The policy was violated. ${next}`
  const paths = fewOf(input.violations.map((violation) => violation.path))
  if (kind === 'question')
    return `The agent got past a read-only mount and changed ${paths}: that was undone, and what it said is no answer. Run "cofferdam doctor", then ask again.`
  const how = worst.kind === 'deny' ? 'denies' : 'makes readonly'
  return `The agent touched what the policy ${how}: ${paths} (rule ${worst.rule}). ${next}`
}

function verdictHalt(task: Task, input: Extract<Input, { type: 'checkpointed' }>): Halt | null {
  switch (input.verdict.kind) {
    case 'no_change':
      return {
        reason: 'no_change',
        text: `The agent says it is done, but nothing changed and no test says so; resume it with ${aWord(task)}.`,
      }
    case 'agent_blocked':
      return { reason: 'agent', text: blockedText(task, input.verdict.text) }
    case 'setup_changed':
      return { reason: 'approval', text: input.verdict.text }
    case 'stuck':
      return {
        reason: 'stuck',
        text: `${counted(stuckAfter, 'step')} in a row ended with the same tree and the same failure; resume it with ${aWord(task)}.${failureSaid(task)}`,
      }
    case 'steps':
      return budgetHalt(task, 'steps')
    case 'apply':
    case 'next':
      return null
  }
}

function answerHalt(task: Task, verdict: AnswerVerdict): Halt | null {
  switch (verdict.kind) {
    case 'agent_blocked':
      return { reason: 'agent', text: blockedText(task, verdict.text) }
    case 'no_answer':
      return { reason: 'agent', text: `${verdict.text} Resume it to have the question asked once more.` }
    case 'answer':
    case 'again':
      return null
  }
}

/** In quotes: these are the agent's words, and nobody should take them for ours. */
function blockedText(task: Task, reason: string): string {
  const said = reason === noReason ? ' and gives no reason.' : `: "${reason}"`
  return `The agent says it is blocked${said} Resume it with ${aWord(task)}.`
}

/** How the last step failed, but for the output that follows; in quotes, as it may be the agent's words. */
function failureSaid({ priorFailure }: Task): string {
  const [first = ''] = (priorFailure ?? '').trim().split('\n', 1)
  const said = first.replace(/[^.]*:\s*$/, '').trim()
  if (said === '') return ''
  const letters = Array.from(said)
  return ` The failure: "${letters.length <= 200 ? said : `${letters.slice(0, 199).join('')}…`}"`
}

/** A program need not read what it is told. */
const aWord = ({ agent }: Task): string =>
  agent.name === 'command'
    ? 'an instruction if its command reads the prompt, else begin anew with another command'
    : 'an instruction'
