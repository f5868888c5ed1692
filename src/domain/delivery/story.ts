import type { SignedAttestation } from '../attestation.ts'
import type { Checkpoint, Task, TaskEvent } from '../task.ts'
import { counted } from '../text.ts'
import { beginning, harmless, inline, quoted } from './quoting.ts'

/** What is known of a task that is to be proposed. */
export interface Told {
  readonly task: Task
  readonly checkpoints: readonly Checkpoint[]
  /** What was done by others than the control plane. */
  readonly decisions: readonly TaskEvent[]
  readonly attestations: readonly Pick<SignedAttestation, 'seq' | 'hash'>[]
}

/** Forges take 65,536 characters, and count them in their own ways. */
const most = { title: 72, body: 50_000, goal: 6000, words: 1500, said: 500, test: 300 } as const
/** Of each list, the last. */
export const mostOf = { steps: 15, decisions: 20, attestations: 60 } as const

/**
 * A task's story, as title and Markdown of a pull request: goal, steps, test, decisions, cost, attestations. Only our own
 * words are markup: what an agent or a person has written is quoted, so that it mentions nobody, closes nothing and
 * shows no image. Secrets are to be taken out before.
 */
export function storyOf(told: Told): { readonly title: string; readonly body: string } {
  const { task } = told
  const [first = ''] = task.goal.trim().split('\n')
  const title = beginning(harmless(first), most.title)
  const sections = [
    `Task ${inline(task.id, 20)} of Cofferdam, in ${counted(task.spent.steps, 'step')}. What agents and people wrote is quoted as it is.`,
    '## Goal',
    quoted(task.goal, most.goal),
    '## Test',
    testText(told),
    ...marksText(task),
    '## Steps',
    ...stepsText(told),
    ...decisionsText(told),
    '## Cost',
    costText(task),
    ...attestationsText(told),
  ]
  return { title: title === '' ? `Task ${task.id}` : title, body: joined(sections) }
}

/** Those for which there is room. None is cut: what it quotes would be markup where its quotation has no end. */
function joined(sections: readonly string[]): string {
  let left = most.body
  const kept = sections.map((section) => {
    if (section.length > left) return omitted
    left -= section.length
    return section
  })
  return kept.join('\n\n')
}

const omitted = 'Too long to be shown here.'

function testText({ task, checkpoints }: Told): string {
  if (task.test === null) return 'None was given: **nothing has tested this**.'
  const test = checkpoints.findLast(({ step, test: each }) => step > 0 && each !== null)?.test ?? null
  const came =
    test === null ? 'no result is on record' : test.passed ? '**passed**' : `**failed** (${test.end})`
  return `${inline(task.test, most.test)}: ${came} on exactly what is proposed here, before the branch was handed over.`
}

function marksText({ marks }: Task): readonly string[] {
  if (marks === null) return ['## To be looked at', 'Nobody has looked through what it changes.']
  if (marks.length === 0) return []
  const lines = marks
    .slice(0, mostOf.decisions)
    .map(({ rule, text }) => `- ${rule}: ${inline(text, most.said)}`)
  return ['## To be looked at', lines.join('\n')]
}

function stepsText({ checkpoints }: Told): readonly string[] {
  const kept = checkpoints.filter(({ step, state }) => step > 0 && state !== 'open')
  return kept.slice(-mostOf.steps).flatMap((row) => {
    const { step, attempt, state, commit, candidate, test, agent } = row
    const stat = candidate?.stat
    const parts = [
      state === 'kept' ? 'kept' : state === 'partial' ? 'kept in part' : 'dropped',
      ...(commit === null ? [] : [`commit ${commit.slice(0, 10)}`]),
      ...(stat === undefined
        ? []
        : [`${counted(stat.files, 'file')}, +${stat.insertions} −${stat.deletions}`]),
      ...(test === null ? [] : [test.passed ? 'test passed' : 'test failed']),
    ]
    const words = agent === null || agent.text.trim() === '' ? [] : [quoted(agent.text, most.words)]
    return [`### Step ${step}${attempt > 1 ? `, attempt ${attempt}` : ''}: ${parts.join('; ')}`, ...words]
  })
}

function decisionsText({ decisions }: Told): readonly string[] {
  if (decisions.length === 0) return []
  const lines = decisions
    .slice(-mostOf.decisions)
    .map(
      ({ at, actor, type, text }) =>
        `- ${new Date(at).toISOString()}, ${actor.kind} ${inline(actor.id, 60)}: ${type.replaceAll('_', ' ')}, ${inline(text, most.said)}`,
    )
  return ['## Decisions', lines.join('\n')]
}

function costText({ spent, budget }: Task): string {
  const parts = [
    `${spent.steps} of ${counted(budget.steps, 'step')}`,
    `${Math.round(spent.ms / 1000)} of ${budget.seconds} seconds in boxes`,
    ...(spent.tokens === 0 ? [] : [`${spent.tokens} tokens`]),
    ...(spent.costUsd === 0 ? [] : [`${spent.costUsd.toFixed(2)} US dollars`]),
  ]
  return `${parts.join(', ')}.`
}

function attestationsText({ task, attestations }: Told): readonly string[] {
  if (attestations.length === 0) return []
  const lines = attestations.slice(-mostOf.attestations).map(({ seq, hash }) => `${seq} ${hash}`)
  return [
    '## Attestations',
    `Signed by the installation; ${inline(`cofferdam verify ${task.id}`, 60)} checks them there.`,
    quoted(lines.join('\n'), mostOf.attestations * 80),
  ]
}
