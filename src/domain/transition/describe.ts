import type { Input } from '../input.ts'
import type { Task } from '../task.ts'
import { budgetText } from '../budget.ts'
import { fewOf } from '../text.ts'

/** The sentence of an event: what happened, for people. */
export function describe(input: Input, before: Task, after: Task): string {
  switch (input.type) {
    case 'approved':
      return 'Approved.'
    case 'rejected':
      return input.text === null ? 'Rejected.' : `Rejected: ${input.text}`
    case 'suggested':
      return `Suggested: ${input.text}`
    case 'steered':
      return `Steered: ${input.text}`
    case 'stopped':
      return input.text === null ? 'Stopped.' : `Stopped: ${input.text}`
    case 'paused':
      return 'Paused.'
    case 'resumed':
      return resumedText(input)
    case 'discarded':
      return input.text ?? 'Discarded: worktree and undelivered work are removed.'
    case 'merge_decided':
      return mergeText(input)
    case 'pull_decided':
      return pullText(input)
    case 'undo_decided':
      return `The merge into ${before.merge?.into} is to be undone.`
    case 'reviewed':
      return `Reviewed: ${input.text}`
    case 'review_withdrawn':
      return `Withdrawn: review ${input.review}.`
    case 'superseded':
      return `Changes were requested: task ${input.by} makes them.`
    case 'given_back':
      return `Given back: task ${input.by}, which was to change it, is given up. It can be delivered again.`
    case 'claimed':
      return 'Started.'
    case 'violated': {
      const paths = fewOf(input.violations.map((violation) => `${violation.path} (${violation.rule})`))
      return `Policy violation: ${paths}. The step was undone.`
    }
    case 'advanced':
    case 'begun':
    case 'agent_finished':
    case 'candidate_made':
    case 'tested':
    case 'noticed':
    case 'salvaged':
    case 'postponed':
    case 'put_away':
    case 'requeued':
    case 'lost':
    case 'merge_advanced':
    case 'merge_begun':
    case 'merge_overtaken':
    case 'merged':
    case 'merge_refused':
    case 'undone':
    case 'undo_refused':
    case 'pull_pushed':
    case 'pull_opened':
    case 'pull_refused':
    case 'pull_looked':
    case 'pull_merged':
    case 'pull_closed':
      return input.text
    case 'checkpointed':
      return checkpointedText(before, after)
    case 'answered':
      if (input.verdict.kind === 'again')
        return `No answer in step ${before.step}/${before.budget.steps}: ${input.verdict.text}`
      return after.halt?.text ?? 'Answered.'
    case 'handed_over':
      return after.outcome === 'tested'
        ? `Applied: ${after.branch} holds the work, tests pass.`
        : `Applied, untested: ${after.branch} holds the work; no test command was given.`
    case 'budget_spent':
    case 'halted':
    case 'failed':
      return after.halt?.text ?? 'Halted.'
  }
}

function mergeText({ into, how, accepted }: Extract<Input, { type: 'merge_decided' }>): string {
  const way = { merge: '', 'fast-forward': ', without a commit of its own', squash: ', as one commit' }[how]
  const marks = accepted.length === 0 ? '' : ` Accepted with it: ${accepted.join(', ')}.`
  return `To be merged into ${into}${way}.${marks}`
}

function pullText({ to, accepted }: Extract<Input, { type: 'pull_decided' }>): string {
  const marks = accepted.length === 0 ? '' : ` Accepted with it: ${accepted.join(', ')}.`
  return `To be proposed for ${to.into} of ${to.project}, as a ${to.draft ? 'draft ' : ''}pull request.${marks}`
}

function resumedText(input: Extract<Input, { type: 'resumed' }>): string {
  const budget = input.budget === null ? '' : ` with a budget of ${budgetText(input.budget)}`
  return `Resumed${budget}${input.instruction === null ? '.' : `: ${input.instruction}`}`
}

function checkpointedText(before: Task, after: Task): string {
  const kept = before.head === after.head ? 'Nothing changed' : `Checkpoint ${after.head.slice(0, 10)}`
  const what = `${kept} after step ${before.step}/${before.budget.steps}.`
  return after.halt === null ? what : `${what} ${after.halt.text}`
}
