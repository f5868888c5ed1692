import type { CommitId, Millis } from './brand.ts'
import type { MergeWay } from './delivery/merge.ts'
import type { Refusal } from './delivery/refusal.ts'
import type { Pull, PullRefusal } from './delivery/pull.ts'
import type { TaskId } from './ids.ts'
import type { Budget, HaltReason, Outcome, Phase, Progress, RiskReason } from './task.ts'
import type { AcceptRule, Mark } from './marks/mark.ts'
import type { Violation } from './policy.ts'

/** What can happen to a task. The names are those of the transition table, of events and of the docs. */
export type Input =
  // by a person
  | { readonly type: 'approved' }
  | { readonly type: 'rejected'; readonly text: string | null }
  | { readonly type: 'suggested'; readonly text: string; readonly risks: readonly RiskReason[] }
  | { readonly type: 'steered'; readonly text: string }
  | { readonly type: 'stopped'; readonly text: string | null }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed'; readonly instruction: string | null; readonly budget: Budget | null }
  /** `text`: why, where it is not a person who does it. */
  | { readonly type: 'discarded'; readonly text?: string }
  | {
      readonly type: 'merge_decided'
      readonly into: string
      readonly how: MergeWay
      readonly at: Millis
      /** What was accepted with it. */
      readonly accepted: readonly AcceptRule[]
    }
  | { readonly type: 'undo_decided' }
  | {
      readonly type: 'pull_decided'
      readonly to: Pick<Pull, 'forge' | 'project' | 'remote' | 'into' | 'draft' | 'at'>
      /** What was accepted with it. */
      readonly accepted: readonly AcceptRule[]
    }
  /** Somebody has looked at its work. */
  | { readonly type: 'reviewed'; readonly text: string }
  /** What was said in the review of this event is taken back. */
  | { readonly type: 'review_withdrawn'; readonly review: number }
  /** Another task changes its work. */
  | { readonly type: 'superseded'; readonly by: TaskId }
  /** The task that was to change its work is rejected or discarded. */
  | { readonly type: 'given_back'; readonly by: TaskId }
  // by the loop
  | { readonly type: 'claimed'; readonly leaseUntil: Millis }
  /** A preparation is done; `phase` is the next. */
  | {
      readonly type: 'advanced'
      readonly phase: Phase
      readonly text: string
      readonly facts?: PreparationFacts
    }
  /** The intent to run a box is recorded. */
  | {
      readonly type: 'begun'
      readonly step: number
      readonly attempt: number
      readonly text: string
      /** The task's instruction as the prompt of this box has it; null for boxes without a prompt. */
      readonly consumed: string | null
    }
  | { readonly type: 'agent_finished'; readonly text: string }
  | { readonly type: 'violated'; readonly violations: readonly Violation[] }
  | { readonly type: 'candidate_made'; readonly text: string }
  | { readonly type: 'tested'; readonly text: string; readonly priorFailure: string | null }
  | {
      readonly type: 'checkpointed'
      readonly verdict: StepVerdict
      readonly head: CommitId
      readonly progress: Progress
      /** Of work that is to be applied. */
      readonly marks: readonly Mark[] | null
    }
  | { readonly type: 'handed_over' }
  /** A part of a delivery is done; `phase` is the next. `made`: the commit that the branch is to be moved to. */
  | {
      readonly type: 'merge_advanced'
      readonly phase: MergePhase
      readonly text: string
      readonly made?: { readonly from: CommitId; readonly commit: CommitId }
    }
  /** The intent to run a box of a delivery is on record. */
  | { readonly type: 'merge_begun'; readonly text: string }
  /** It begins again: the branch has moved meanwhile, or a box was lost. */
  | { readonly type: 'merge_overtaken'; readonly text: string }
  | {
      readonly type: 'merged'
      readonly text: string
      /** Where the branch had the work already. */
      readonly at?: CommitId
    }
  /** The branch is as it was. */
  | {
      readonly type: 'merge_refused'
      readonly why: Refusal
      readonly text: string
    }
  | { readonly type: 'undone'; readonly text: string }
  | { readonly type: 'undo_refused'; readonly text: string }
  /** The branch is where the pull request is to be opened. */
  | { readonly type: 'pull_pushed'; readonly text: string; readonly pushed: CommitId }
  | {
      readonly type: 'pull_opened'
      readonly text: string
      readonly number: number
      readonly url: string | null
    }
  /** There is no pull request; what was pushed stays where it is. */
  | { readonly type: 'pull_refused'; readonly why: PullRefusal; readonly text: string }
  /** It could not be looked at, for another reason than before, or can be again (null). */
  | { readonly type: 'pull_looked'; readonly text: string; readonly unfollowed: string | null }
  /** Somebody there has merged or closed it, as the forge or a person says. */
  | { readonly type: 'pull_merged'; readonly text: string }
  | { readonly type: 'pull_closed'; readonly text: string }
  /** What the agent said to a question is read, and the tree is as it was. */
  | { readonly type: 'answered'; readonly verdict: AnswerVerdict }
  /** Something that a task at rest has left on the disk is old enough to go; its commits stay. */
  | { readonly type: 'put_away'; readonly text: string }
  /** Something about a box under way that a person should see: a request that was denied, a secret that was found. */
  | { readonly type: 'noticed'; readonly text: string }
  /** The work of a halted task is kept (or put back to the last checkpoint). */
  | { readonly type: 'salvaged'; readonly head: CommitId; readonly text: string }
  /** The disk has no room for the work of a halted task: it stays where it is until a resume. */
  | { readonly type: 'postponed'; readonly text: string }
  | { readonly type: 'budget_spent'; readonly reason: 'time' | 'steps' | 'tokens' | 'cost' }
  | { readonly type: 'halted'; readonly reason: HaltReason; readonly text: string }
  | { readonly type: 'failed'; readonly reason: HaltReason; readonly text: string }
  /** An attempt was lost, to the engine or (`by: 'agent'`) to a provider of models: another one is made, up to a cap. */
  | { readonly type: 'lost'; readonly text: string; readonly by?: 'agent' }
  /** `crashed`: the process died with it, which counts as a loss; otherwise it ended in good order. */
  | { readonly type: 'requeued'; readonly text: string; readonly crashed: boolean }

/** The parts of a delivery after the first. */
export type MergePhase = Extract<Phase, 'merge_setup' | 'merge_test' | 'merge_move'>

export type InputType = Input['type']

/** What preparation found out; each is written once. */
export interface PreparationFacts {
  readonly setupKey?: string
  readonly baseline?: string
}

/** What a validated step means for the task. */
export type StepVerdict =
  | { readonly kind: 'apply'; readonly outcome: Outcome }
  | { readonly kind: 'no_change' }
  | { readonly kind: 'agent_blocked'; readonly text: string }
  | { readonly kind: 'stuck' }
  | { readonly kind: 'steps' }
  | { readonly kind: 'setup_changed'; readonly text: string }
  | { readonly kind: 'next' }

/** What a step of a question came to. `again`: it failed, and a step is left. */
export type AnswerVerdict =
  | { readonly kind: 'answer'; readonly answer: string }
  | { readonly kind: 'agent_blocked'; readonly text: string }
  | { readonly kind: 'no_answer' | 'again'; readonly text: string }
