/**
 * What a person may remember a task by. In order of weight, the first the heaviest: what was asked for; what people said
 * about it later; names (repository, branch, commands, changed paths, commits, the id); what happened; what the agent
 * said; what tests printed.
 */
export const kinds = ['goal', 'people', 'names', 'events', 'agent', 'output'] as const
export type Kind = (typeof kinds)[number]

/** A text of a task, of one kind. */
export interface Piece {
  readonly kind: Kind
  /** The step that it is about; null where it is about the task. */
  readonly step: number | null
  readonly text: string
}
