import type { AgentProgress } from '../domain/agent.ts'
import type { TaskId } from '../domain/ids.ts'
import { progressText } from '../domain/progress.ts'
import type { Task } from '../domain/task.ts'

/** What the agent of an attempt has done so far. Each time that it does something more, it is another one. */
export interface Doing {
  /** The last that it said, or the last tool that it used, with what; '' where it has done neither. */
  readonly last: string
  /** Files that it changes by what it says, as the repository has them, each once, the newest last. */
  readonly paths: readonly string[]
}

// More is not shown of them.
const longest = 2000
const mostPaths = 100

/** What the agents of all tasks do at the moment. */
export class Doings {
  /** The attempts whose agents are at work. */
  readonly #attempts = new Map<TaskId, string>()
  readonly #doings = new Map<TaskId, Doing>()

  of(id: TaskId): Doing | null {
    return this.#doings.get(id) ?? null
  }

  /** A task has come so far: what an earlier attempt did is over. */
  changed({ id, phase, step, attempt }: Pick<Task, 'id' | 'phase' | 'step' | 'attempt'>): void {
    const now = phase === 'agent' ? `${step}/${attempt}` : undefined
    if (this.#attempts.get(id) === now) return
    this.#doings.delete(id)
    if (now === undefined) this.#attempts.delete(id)
    else this.#attempts.set(id, now)
  }

  add(id: TaskId, progress: readonly AgentProgress[]): void {
    if (!this.#attempts.has(id)) return
    const before = this.of(id) ?? { last: '', paths: [] }
    this.#doings.set(id, progress.reduce(after, { ...before }))
  }
}

function after(before: Doing, progress: AgentProgress): Doing {
  const text = progressText(progress).trim()
  const last = text === '' ? before.last : text.slice(0, longest)
  if (progress.kind !== 'tool') return { ...before, last }
  const more = progress.paths.map((path) => path.slice(0, longest))
  const paths = [...before.paths.filter((path) => !more.includes(path)), ...new Set(more)]
  return { last, paths: paths.slice(-mostPaths) }
}
