import type { Task } from './task.ts'

// Browsers run this file too: it imports types alone.

/** What the words of a task are made of; a list of hits knows less of it than a task's own page. */
export type Standing = Pick<Task, 'kind' | 'status' | 'delivery'> &
  Partial<Pick<Task, 'halt' | 'outcome' | 'phase' | 'merge' | 'pull'>>

/** Where these words are said, nobody asks whether the work was applied. */
const sayAll: ReadonlySet<Task['delivery']> = new Set<Task['delivery']>([
  'delivering',
  'merged',
  'pr_open',
  'pr_merged',
  'discarded',
])

/**
 * How a task stands, in words for people: its state and what has become of its work, such as `running`, `blocked (no
 * change)`, `applied, untested, conflicts with main` and `merged into main`.
 * @param spelled how a state is spelled by itself
 */
export function standingOf(
  task: Standing,
  spelled = (status: Task['status']) => status.toLowerCase(),
): string {
  const { kind, status, halt = null, outcome = null, delivery } = task
  if (delivery === 'discarded') return 'discarded'
  const state = kind === 'question' && status === 'APPLIED' ? 'answered' : spelled(status)
  const why =
    halt === null || halt.reason === status.toLowerCase() ? '' : ` (${halt.reason.replaceAll('_', ' ')})`
  const work = workOf(task)
  return [
    work !== null && sayAll.has(delivery) ? work : `${state}${why}`,
    ...(status === 'APPLIED' && outcome === 'untested' ? ['untested'] : []),
    ...(work === null || sayAll.has(delivery) ? [] : [work]),
  ].join(', ')
}

/** What has become of a task's work, such as `merged into main`; null where nothing has yet. */
export function workOf({ delivery, phase = null, merge = null, pull = null }: Standing): string | null {
  const into = merge?.into ?? 'its branch'
  switch (delivery) {
    case 'none':
      return null
    case 'delivering':
      if (phase === 'undo') return `merge into ${into} being undone`
      return (pull?.at ?? -1) > (merge?.at ?? -1)
        ? 'being proposed as a pull request'
        : `being merged into ${into}`
    case 'merged':
      return `merged into ${into}`
    case 'undone':
      return `merge into ${into} undone`
    case 'conflict':
      return `conflicts with ${into}`
    case 'rejected':
      return `fails its test on ${into}`
    case 'pr_open':
      return pull?.draft === true ? 'draft of a pull request open' : 'pull request open'
    case 'pr_merged':
      return 'pull request merged'
    case 'pr_closed':
      return 'pull request closed'
    case 'superseded':
      return 'superseded by another task'
    case 'discarded':
      return 'discarded'
  }
}
