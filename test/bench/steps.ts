import type { TaskEvent } from '../../src/domain/task.ts'
import { mean } from './statistics.ts'

/** What the loop had done when it wrote an event of this type in the middle of a step. */
const doneAt: Readonly<Record<string, string>> = {
  begun: 'lay out and plan',
  agent_finished: 'box',
  advanced: 'remove and verify',
  candidate_made: 'candidate',
  tested: 'test',
  checkpointed: 'checkpoint',
}

/** A step, from checkpoint to checkpoint. */
export interface StepTime {
  readonly ms: number
  /** Milliseconds by what the loop was at, in order. */
  readonly parts: ReadonlyMap<string, number>
}

/** The steps of a task that followed right upon another one: the first has the task's preparation in it. */
export function stepsOf(events: readonly TaskEvent[]): readonly StepTime[] {
  const ends = events.flatMap((event, index) => (event.type === 'checkpointed' ? [index] : []))
  return ends.slice(1).flatMap((end, index): StepTime[] => {
    const step = events.slice(ends[index], end + 1)
    // Whatever else happened in between (a halt and a resume), it was no step in one go.
    if (step.some(({ type }) => doneAt[type] === undefined)) return []
    const parts = new Map<string, number>()
    for (const [place, event] of step.slice(1).entries()) {
      const name = doneAt[event.type] ?? event.type
      parts.set(name, (parts.get(name) ?? 0) + event.at - (step[place]?.at ?? event.at))
    }
    return [{ ms: (step.at(-1)?.at ?? 0) - (step[0]?.at ?? 0), parts }]
  })
}

/** Where the time of steps goes: means, which add up to the mean of the whole. */
export function partsText(times: readonly ReadonlyMap<string, number>[]): string {
  const names = [...new Set(times.flatMap((parts) => [...parts.keys()]))]
  const all = names.map((name) => [name, mean(times.map((parts) => parts.get(name) ?? 0))] as const)
  const sum = all.reduce((total, [, ms]) => total + ms, 0)
  return `${all.map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(', ')}; together ${sum.toFixed(1)} ms`
}
