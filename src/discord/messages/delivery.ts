import type { Decisions, Offer } from '../../domain/decision.ts'
import type { Task } from '../../domain/task.ts'
import { cut, line, moment, most } from '../text.ts'
import { buttonsOf } from './buttons.ts'
import { colours, type Outgoing } from './message.ts'

/** What is to become of the work of an applied task: whoever presses Merge was shown every mark that they accept by it. */
export function deliveryMessage(
  task: Task,
  { offer, ...ways }: Pick<Decisions, 'merge' | 'pull'> & { readonly offer: Offer },
  mark: string,
): Outgoing {
  const hasButton = (wanted: string): boolean => offer.choices.some(({ action }) => action === wanted)
  const merge = hasButton('merge') ? ways.merge : null
  const pull = hasButton('pull-request') ? ways.pull : null
  const marks = task.marks ?? []
  const lines = marks.map(({ text }) => `• ${line(text, 200)}`)
  const whole = lines.join('\n')
  const isCut = whole.length > mostMarks
  // Nobody can accept what they were not shown: then it takes a command that names the marks.
  const choices = isCut
    ? offer.choices.filter(({ action }) => action !== 'merge' && action !== 'pull-request')
    : offer.choices
  const accepts =
    task.marks === null
      ? 'Nobody has looked through what it changes.'
      : whole === ''
        ? ''
        : `To be looked at before it is ${pull === null ? 'merged' : 'proposed'}:\n${isCut ? `${cut(whole, mostMarks)}\n${byCommand(task, merge, pull)}` : whole}`
  return {
    embeds: [
      {
        title: cut(titleOf(task, merge, pull), 256),
        color: marks.length > 0 ? colours.needsYou : colours.good,
        description: cut(
          [line(task.goal, 200), accepts].filter((text) => text !== '').join('\n\n'),
          most.description,
        ),
        fields: [{ name: 'Good until', value: moment(offer.expiresAt), inline: true }],
        footer: { text: mark },
      },
    ],
    ...(choices.length === 0 ? {} : { components: buttonsOf({ ...offer, choices }) }),
  }
}

const mostMarks = 2500

function titleOf(task: Task, merge: Decisions['merge'], pull: Decisions['pull']): string {
  if (pull !== null) {
    const what = pull.draft ? 'a draft pull request' : 'a pull request'
    return `Propose it for ${line(pull.into, 100)} of ${line(pull.project, 100)}, as ${what}?`
  }
  if (merge === null) return `Merged into ${line(task.merge?.into ?? '', 100)}: keep it?`
  const way = { merge: '', 'fast-forward': ', just moved forward', squash: ', as one commit' }[merge.how]
  return `Merge into ${line(merge.into, 100)}${way}?`
}

function byCommand({ id }: Task, merge: Decisions['merge'], pull: Decisions['pull']): string {
  const command = pull === null ? 'task_merge' : 'task_pull_request'
  const accepts = ((pull ?? merge)?.accepts ?? []).join(',')
  return `There is more than fits here: look at it all with \`/task_changes task:${id}\`, then \`/${command} task:${id} accept:${accepts}\`.`
}
