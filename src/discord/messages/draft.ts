import type { Decided, Offer } from '../../domain/decision.ts'
import type { Members } from '../../domain/discord.ts'
import type { Task } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { counted, timeOf } from '../../domain/text.ts'
import { headBlock, cut, line, moment, most } from '../text.ts'
import { buttonsOf } from './buttons.ts'
import { colours, mentions, nameOf, type Outgoing } from './message.ts'

export interface Drafting {
  readonly owners: Members
  /** Of its footer. */
  readonly mark: string
  /** Whether a file may come with it. */
  readonly attaches: boolean
}

/** A draft with what a person has to know to decide, and the buttons. */
export function draftMessage(task: Task, offer: Offer, { owners, mark, attaches }: Drafting): Outgoing {
  const { id, repository, base, agent, budget, policy, risks } = task
  const goal = laidOpen(task.goal)
  const opened = (text: string | null): string | null => (text === null ? null : laidOpen(text))
  const [setup, test] = [opened(task.setup), opened(task.test)]
  const asks = task.kind === 'question'
  const reasons = risks.length === 0 ? ['It was asked for as a draft.'] : risks.map(({ text }) => text)
  const field = (name: string, value: string, inline = false) => ({
    name,
    value: cut(value, most.field),
    inline,
  })
  const command = (text: string | null): string => (text === null ? 'none' : headBlock(text, commandLength))
  const program = laidOpen([agent.name, ...agent.argv].map(quoted).join(' '))
  const reach = [...policy.egress, ...policy.upstreams].join(', ')
  const commands = [program, setup ?? '', test ?? '']
  const isCut =
    line(goal, Infinity).length > goalLength ||
    commands.some((text) => headBlock(text, Infinity).length > commandLength) ||
    line(reach, Infinity).length > commandLength ||
    bulleted(reasons) !== reasons.map((reason) => `• ${line(reason, Infinity)}`).join('\n')
  return {
    content: cut(
      `${mentions(owners)} A ${asks ? 'question' : 'task'} waits for your decision.`.trim(),
      most.content,
    ),
    pings: owners,
    embeds: [
      {
        title: asks ? 'Draft: have this question answered?' : 'Draft: run this?',
        color: colours.needsYou,
        description: cut(line(goal, goalLength), most.description),
        fields: [
          field('Why you are asked', bulleted(reasons)),
          field(
            'Where',
            `${line(repository.path, 300)}\nfrom ${line(base.ref, 80)} at \`${base.commit.slice(0, 10)}\``,
          ),
          field('Agent', headBlock(program, commandLength)),
          // Of a question there is neither.
          ...(asks ? [] : [field('Setup', command(setup), true), field('Test', command(test), true)]),
          field('Budget', `${counted(budget.steps, 'step')}, ${timeOf(budget.seconds)}`, true),
          field(
            'May reach',
            reach === '' ? 'nothing: its boxes have no network' : line(reach, commandLength),
            true,
          ),
          field('Good until', moment(offer.expiresAt), true),
          ...(isCut ? [field('Not all of it is shown here', attaches ? readFile : readThere(id))] : []),
        ],
        footer: { text: mark },
      },
    ],
    files:
      isCut && attaches
        ? [
            {
              name: fileName,
              text: [
                `${asks ? 'Question' : 'Goal'}:\n${goal}`,
                `Why you are asked:\n${reasons.join('\n')}`,
                `Agent:\n${program}`,
                ...(asks ? [] : [`Setup:\n${setup ?? 'none'}`, `Test:\n${test ?? 'none'}`]),
                `May reach:\n${reach === '' ? 'nothing' : reach}`,
                '',
              ].join('\n\n'),
            },
          ]
        : [],
    components: buttonsOf(offer),
  }
}

/** So much of a goal and of a command is shown in the message itself; what is longer comes as a file. */
const goalLength = 1500
const commandLength = 400
const fileName = 'draft.txt'
const readFile = `Read ${fileName} before you decide.`
const readThere = (id: string): string =>
  `It cannot be attached: read \`cofferdam task show ${id}\` on the server before you decide.`

/** An argument so that one can tell where it ends. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))

/** The same message when nothing is to be decided there any more: what became of it, and who decided. */
export function settledMessage(
  task: Task,
  last: Decided | null,
  shownRevision: number,
  mark: string,
): Outgoing {
  const { goal, status } = task
  return {
    embeds: [
      {
        title: outcomeOf(task, last, shownRevision),
        color: colours.over,
        description: cut(
          line(goal, 600) + (last?.text == null ? '' : `\n> ${line(last.text, 600)}`),
          most.description,
        ),
        fields: [
          {
            name: 'Decided',
            value:
              last === null
                ? `nobody; the task is ${status} now`
                : `by ${nameOf(last.by)} ${moment(last.at)}`,
          },
        ],
        footer: { text: mark },
      },
    ],
  }
}

function outcomeOf({ status, revision }: Task, last: Decided | null, shownRevision: number): string {
  switch (last?.action) {
    case 'approve':
      return 'Approved'
    case 'reject':
      return 'Rejected'
    case 'suggest':
      return 'A suggestion was added: see the newer message'
    case 'merge':
      return 'A merge was decided'
    case 'pull-request':
      return 'A pull request was decided'
    case 'undo':
      return 'To be undone, it was decided'
    case 'discard':
      return 'Discarded'
    default:
      return status === 'DRAFT' && revision === shownRevision
        ? 'This offer expired: see the newer message'
        : `No longer to be decided: ${status}`
  }
}

function bulleted(reasons: readonly string[]): string {
  const lines = reasons.map((reason) => `• ${line(reason, 250)}`)
  let shown = lines.length
  while (shown > 1 && lines.slice(0, shown).join('\n').length > most.field - 30) shown -= 1
  const more = lines.length - shown
  return lines.slice(0, shown).join('\n') + (more === 0 ? '' : `\n• and ${counted(more, 'more reason')}`)
}
