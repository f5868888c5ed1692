import type { TaskEvent } from '../../domain/task.ts'

/** What happened in a step that is over. */
export interface Folded {
  readonly step: number
  /** More than one, oldest first. */
  readonly events: readonly TaskEvent[]
}

/**
 * The events of a task, with those of each step but the last in one entry: who looks in the morning reads what a step came
 * to, and what is so now. What was before the first step stands by itself.
 * @param events oldest first
 */
export function folded(events: readonly TaskEvent[]): readonly (TaskEvent | Folded)[] {
  const current = events.at(-1)?.step ?? 0
  const runs: TaskEvent[][] = []
  for (const event of events) {
    const run = runs.at(-1)
    if (run?.[0]?.step === event.step) run.push(event)
    else runs.push([event])
  }
  return runs.flatMap((run): readonly (TaskEvent | Folded)[] => {
    const step = run[0]?.step ?? 0
    return step === 0 || step === current || run.length === 1 ? run : [{ step, events: run }]
  })
}
