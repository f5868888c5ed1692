import type { Delivery, Task } from '../../domain/task.ts'

/** What becomes of the work of a task, as a heading; it is told live. */
export function deliveryTitle({ delivery, phase, merge, pull }: Task): string {
  const into = merge?.into ?? 'its branch'
  switch (delivery) {
    case 'none':
      return 'What is to become of this work?'
    case 'delivering':
      return underWay(phase, into)
    case 'merged':
      return `Merged into ${into}`
    case 'undone':
      return 'The merge was undone'
    case 'conflict':
      return `Not merged: it conflicts with ${into}`
    case 'rejected':
      return 'It was not delivered'
    case 'pr_open':
      return pull?.draft === true ? 'A draft of a pull request is open' : 'A pull request is open'
    case 'pr_merged':
      return 'Its pull request was merged'
    case 'pr_closed':
      return 'Its pull request was closed'
    case 'superseded':
      return 'Another task changes this work'
    case 'discarded':
      return 'Its work was thrown away'
  }
}

function underWay(phase: Task['phase'], into: string): string {
  switch (phase) {
    case 'undo':
      return `The merge into ${into} is being undone…`
    case 'push':
      return 'The branch is being pushed…'
    case 'pull_open':
      return 'The pull request is being opened…'
    case 'merge_setup':
    case 'merge_test':
      return `What merging into ${into} comes to is being tested…`
    case 'merge_move':
      return `${into} is being moved…`
    default:
      return `Merging into ${into}…`
  }
}

const undelivered: ReadonlySet<Delivery> = new Set<Delivery>([
  'none',
  'undone',
  'conflict',
  'rejected',
  'pr_closed',
])

/** Applied work that is in nobody's branch, and not on its way there. */
export const isUndelivered = ({ kind, status, delivery }: Task): boolean =>
  kind === 'change' && status === 'APPLIED' && undelivered.has(delivery)

/** Its last delivery came to nothing, and a person has to say what is to become of it. */
export const isStuck = ({ status, delivery, merge }: Pick<Task, 'status' | 'delivery' | 'merge'>): boolean =>
  status === 'APPLIED' &&
  (delivery === 'conflict' || delivery === 'rejected' || (delivery === 'none' && merge?.said != null))

/** How its last delivery stands or ended, in a sentence. */
export function deliverySaid({
  delivery,
  merge,
  pull,
}: Pick<Task, 'delivery' | 'merge' | 'pull'>): string | null {
  if (delivery.startsWith('pr_')) return pull?.said ?? null
  if (delivery === 'delivering' || delivery === 'superseded' || delivery === 'discarded') return null
  // Of two, the one that was decided later.
  if (merge === null || (pull !== null && pull.at > merge.at)) return pull?.said ?? null
  return merge.said
}
