import type { Decisions, Offer } from '../../domain/decision.ts'
import type { Task } from '../../domain/task.ts'
import { cut, line, moment, most } from '../text.ts'
import { buttonsOf } from './buttons.ts'
import { colours, type Outgoing } from './message.ts'

/** What is to become of the work of an applied task: whoever presses Merge was shown every mark that they accept by it. */
export function deliveryMessage(
  task: Task,
  { offer, merge }: Pick<Decisions, 'merge'> & { readonly offer: Offer },
  mark: string,
): Outgoing {
  const marks = task.marks ?? []
  const lines = marks.map(({ text }) => `• ${line(text, 200)}`)
  const whole = lines.join('\n')
  const isCut = whole.length > mostMarks
  // Nobody can accept what they were not shown: then it takes a command that names the marks.
  const choices = isCut ? offer.choices.filter(({ action }) => action !== 'merge') : offer.choices
  const accepts =
    task.marks === null
      ? 'Nobody has looked through what it changes.'
      : whole === ''
        ? ''
        : `To be looked at before it is merged:\n${isCut ? `${cut(whole, mostMarks)}\n${byCommand(task, merge)}` : whole}`
  return {
    embeds: [
      {
        title: cut(titleOf(task, merge), 256),
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

function titleOf(task: Task, merge: Decisions['merge']): string {
  if (merge === null) return `Merged into ${line(task.merge?.into ?? '', 100)}: keep it?`
  const way = { merge: '', 'fast-forward': ', just moved forward', squash: ', as one commit' }[merge.how]
  return `Merge into ${line(merge.into, 100)}${way}?`
}

function byCommand({ id }: Task, merge: Decisions['merge']): string {
  const accepts = (merge?.accepts ?? []).join(',')
  return `There is more than fits here: look at it all with \`/task_changes task:${id}\`, then \`/task_merge task:${id} accept:${accepts}\`.`
}
