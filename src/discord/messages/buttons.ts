import { ButtonStyle, ComponentType } from 'discord.js'
import type { Offer } from '../../domain/decision.ts'
import type { Outgoing } from './message.ts'

type Style = ButtonStyle.Success | ButtonStyle.Danger | ButtonStyle.Secondary
const styles: Readonly<Record<string, Style>> = {
  approve: ButtonStyle.Success,
  reject: ButtonStyle.Danger,
  suggest: ButtonStyle.Secondary,
  merge: ButtonStyle.Success,
  'pull-request': ButtonStyle.Success,
  undo: ButtonStyle.Secondary,
  discard: ButtonStyle.Danger,
}
const labels: Readonly<Record<string, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  suggest: 'Suggest',
  merge: 'Merge',
  'pull-request': 'Pull request',
  undo: 'Undo',
  discard: 'Discard',
}

/** A button for each thing that can be chosen. */
export function buttonsOf({ choices }: Offer): NonNullable<Outgoing['components']> {
  return [
    {
      type: ComponentType.ActionRow,
      components: choices.map(({ action, id }) => ({
        type: ComponentType.Button,
        style: styles[action] ?? ButtonStyle.Secondary,
        label: labels[action] ?? action,
        custom_id: id,
      })),
    },
  ]
}
