import { moreNeeded } from '../../domain/budget.ts'
import { pullEnds, pullName } from '../../domain/delivery/pull.ts'
import type { Refusal } from '../../domain/delivery/refusal.ts'
import { isDelivering, isWorking, type Task } from '../../domain/task.ts'
import { defaultPolicy } from '../../domain/policies.ts'
import { quoted } from '../../domain/shell.ts'
import { refusalOf, rulesOf } from '../../domain/standing.ts'
import { possibleActs } from '../../domain/transition/apply.ts'
import { plain } from './text.ts'

/** A command that a person can give now, and what it is good for. */
export interface Suggestion {
  readonly command: string
  readonly what: string
}

/** How a command of this program is written here, with the options that lead to the same data folder. */
export type Spell = (command: string) => string

/** What a person can do next with a task, most useful first. */
export function nextCommands(task: Task, spell: Spell): readonly Suggestion[] {
  if (task.delivery === 'discarded') return []
  const acts = possibleActs(task)
  const on = (act: string, more = ''): string => spell(`task ${act} ${task.id}${more}`)
  const { options, what } = resumeOf(task)
  const refusal = refusalOf(task)
  const changed = refusal === null ? null : (changes[refusal] ?? null)
  const isLeftBehind = refusal === 'diverged'
  const offers: readonly (Suggestion & { readonly when: boolean })[] = [
    {
      when: acts.includes('approve'),
      command: on('approve', ` --revision ${task.revision}`),
      what: 'agree to the reasons and run it',
    },
    {
      when: task.status === 'DRAFT',
      command: on('suggest', ' TEXT'),
      what: task.kind === 'question' ? 'add to the question' : 'add to the goal',
    },
    { when: doctored(task), command: spell('doctor'), what: 'look whether it is mended' },
    {
      when: task.halt?.reason === 'image',
      command: spell(/`cofferdam (image build[^`]*)`/.exec(task.halt?.text ?? '')?.[1] ?? 'image build'),
      what: 'build the image, unless engine.image names another',
    },
    {
      when: task.halt?.reason === 'setup',
      command: runAnew(task, spell, 'COMMAND'),
      what: 'begin anew with a setup that makes the test start',
    },
    {
      when: task.halt?.reason === 'agent' && task.status === 'FAILED' && task.kind === 'change',
      command: runAnew(task, spell, task.setup),
      what: "begin anew with the agent's command mended",
    },
    {
      when: task.kind === 'question' && task.status === 'APPLIED',
      command: spell(`ask --follow-up ${task.id} QUESTION`),
      what: 'ask more, in the same conversation',
    },
    { when: acts.includes('resume'), command: on('resume', options), what },
    { when: task.status === 'PENDING', command: on('watch'), what: 'work on it here' },
    { when: isWorking(task) || isDelivering(task), command: on('watch'), what: 'follow it' },
    {
      when: acts.includes('merge') && refusal === 'conflict',
      command: runAnew(task, spell, task.setup, task.merge?.into),
      what: `have it done anew, from ${plain(task.merge?.into ?? task.base.ref)} as it is now`,
    },
    {
      when: acts.includes('merge') && changed !== null,
      command: on('review', ' --text TEXT --request-changes'),
      what: changed ?? '',
    },
    {
      when: acts.includes('merge'),
      command: on(
        'merge',
        intoOf(task.merge) + (isLeftBehind ? ' --how merge' : '') + acceptOf(task, task.merge),
      ),
      what: task.merge === null ? 'merge it' : `merge it into ${plain(task.merge.into)}`,
    },
    {
      when: acts.includes('pull-request') && task.pull !== null,
      command: on('pull-request', intoOf(task.pull) + acceptOf(task, task.pull)),
      what: `propose it for ${plain(task.pull?.into ?? '')} again`,
    },
    ...pullEnds.map((as) => ({
      when:
        acts.includes('pull-ended') &&
        (task.pull?.unfollowed != null || (task.delivery === 'pr_closed' && as === 'merged')),
      command: on('pull-ended', ` --${as}`),
      what: `say that ${task.pull === null ? 'it' : plain(pullName(task.pull))} was ${as} there`,
    })),
    {
      when: acts.includes('undo'),
      command: on('undo'),
      what: `take it out of ${plain(task.merge?.into ?? '')} again`,
    },
    {
      when: acts.includes('stop') && task.status !== 'DRAFT' && task.status !== 'BLOCKED',
      command: on('stop'),
      what: 'stop it',
    },
    { when: acts.includes('reject'), command: on('reject'), what: 'end it for good' },
    {
      when: acts.includes('discard') && task.status !== 'APPLIED',
      command: on('discard'),
      what: task.kind === 'question' ? 'give it up: its record stays' : 'throw its work away',
    },
  ]
  return offers.filter((offer) => offer.when).map(({ command, what }) => ({ command, what }))
}

/** What a task that changes the work would be for, after a delivery that was refused for that. It does not see the branch. */
const changes: Partial<Readonly<Record<Refusal, string>>> = {
  setup: 'have a task mend what setup fails on',
  test: 'have a task mend what the test fails on',
}

/** The branch of a delivery that is tried again; what is configured may be another by now. */
const intoOf = (before: { readonly into: string } | null): string =>
  before === null ? '' : ` --into ${quoted(before.into)}`

/** The marks that an owner has to name, and others' commits where it was refused for them in the same way. */
function acceptOf(task: Task, before: { readonly refusal: Refusal | null } | null): string {
  const marked = rulesOf(task)
  const rules = before?.refusal === 'foreign' ? [...marked, 'foreign'] : marked
  return rules.length === 0 ? '' : ` --accept ${rules.join(',')}`
}

/** The command line that makes this task once more, for a person to mend, with this setup. */
function runAnew(task: Task, spell: Spell, setup: string | null, ref = task.base.ref): string {
  const { agent, budget, goal, policy, repository, test } = task
  const more = (own: readonly string[], usual: readonly string[]): readonly string[] =>
    own.filter((pattern) => !usual.includes(pattern))
  const options: readonly (readonly [string, string])[] = [
    ['repo', quoted(repository.path)],
    ['ref', quoted(ref)],
    ['goal', oneLine(goal, 'TEXT')],
    ...(setup === null ? [] : [['setup', oneLine(setup, 'COMMAND')] as const]),
    ...(test === null ? [] : [['test', oneLine(test, 'COMMAND')] as const]),
    ['steps', `${budget.steps}`],
    // Two decimals are the same number of seconds.
    ['minutes', `${Number((budget.seconds / 60).toFixed(2))}`],
    ...(budget.tokens === null ? [] : [['tokens', `${budget.tokens}`] as const]),
    ...(budget.costUsd === null ? [] : [['cost', `${budget.costUsd}`] as const]),
    ...policy.egress.map((host) => ['egress', quoted(host)] as const),
    ...more(policy.deny, defaultPolicy.deny).map((pattern) => ['deny', quoted(pattern)] as const),
    ...more(policy.readonly, defaultPolicy.readonly).map((pattern) => ['readonly', quoted(pattern)] as const),
    ...policy.allow.map((pattern) => ['allow', quoted(pattern)] as const),
    ...(agent.argv.length > 0 ? [] : [['agent', quoted(agent.name)] as const]),
  ]
  const command = spell(['run', ...options.map(([name, value]) => `--${name} ${value}`)].join(' '))
  if (agent.argv.length === 0) return command
  return `${command} -- ${agent.argv.map((word) => oneLine(word, 'ARGUMENT')).join(' ')}`
}

/** An argument as it stands, or a word for it where it is too long for a line or no line at all. */
function oneLine(text: string, otherwise: string): string {
  return text.length <= 300 && plain(text) === text && !text.includes('\n') ? quoted(text) : otherwise
}

/** Halted by something outside the task that doctor looks at. */
function doctored({ halt }: Task): boolean {
  return halt?.reason === 'engine' || halt?.reason === 'disk' || halt?.reason === 'posture'
}

/** What a resume needs to have an effect: more budget after a timeout, a word to an agent that is stuck, ... */
function resumeOf(task: Task): { options: string; what: string } {
  const again = {
    options: '',
    what: task.kind === 'question' ? 'have it asked once more' : 'go on from the last checkpoint',
  }
  const wordy = { options: ' --instruction TEXT', what: 'go on with a word for the agent' }
  if (task.outcome !== null) return { options: '', what: 'hand over what is validated' }
  const more = moreNeeded(task)
  if (more !== null) return { ...again, options: ` --${more.option} ${more.amount}` }
  switch (task.halt?.reason) {
    case 'agent':
      return task.status === 'BLOCKED' ? wordy : again
    case 'no_change':
    case 'policy':
    case 'stuck':
      return wordy
    case 'approval':
      return { options: '', what: 'agree to it: setup runs again' }
    case 'setup':
      return { options: '', what: 'try setup and test again' }
    case 'engine':
    case 'image':
    case 'posture':
    case 'disk':
    case 'repository':
      return { options: '', what: 'go on when it is mended' }
    default:
      return again
  }
}
