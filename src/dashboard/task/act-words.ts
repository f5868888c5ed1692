import type { Act } from '../../domain/control-plane.ts'

export type ActName = Act['act']

/** Those that have a button here, in the order of their buttons: what goes on first, what cannot be taken back last. */
export const saidActs = [
  'resume',
  'steer',
  'pause',
  'stop',
  'reject',
  'pull-ended',
  'discard',
] as const satisfies readonly ActName[]
export type SaidAct = (typeof saidActs)[number]

/** Whether nothing brings back what it ends. */
export const isForGood = (name: SaidAct): boolean => name === 'reject' || name === 'discard'
/** Whether it is a decision on what is shown; what somebody only says is good for whatever the task is by now. */
export const isBound = (name: SaidAct): boolean => isForGood(name) || name === 'pull-ended'

interface Said {
  readonly button: string
  /** What the form asks for; null where there is nothing to say. */
  readonly label: string | null
  readonly send: string
  readonly required?: boolean
  readonly about?: string
}

export const said: Readonly<Record<SaidAct, Said>> = {
  resume: { button: 'Resume', label: 'What should the agent hear? (may stay empty)', send: 'Go on' },
  steer: {
    button: 'Steer',
    label: 'What should the agent hear at its next step?',
    send: 'Send it',
    required: true,
  },
  pause: {
    button: 'Pause',
    label: null,
    send: 'Pause it',
    about: 'Its box is ended; what it has done so far is kept.',
  },
  stop: {
    button: 'Stop',
    label: 'Why? (may stay empty)',
    send: 'Stop it now',
    about: 'A box that it has is ended at once; what it has done so far is kept, and it can be resumed.',
  },
  reject: {
    button: 'Give up',
    label: 'Why? (may stay empty)',
    send: 'Give it up for good',
    about: 'It ends REJECTED and cannot go on; what it has done stays until it is discarded.',
  },
  'pull-ended': {
    button: 'Merged or closed there',
    label: null,
    send: 'Put it on record',
    about:
      'Say so where its pull request is over and that is not seen from here. It is believed: nobody asks the forge.',
  },
  discard: {
    button: 'Discard',
    label: null,
    send: 'Throw its work away',
  },
}
