import type { OutboxRows } from '../../control-plane/store/outbox.ts'
import type { Change, Lost, ScheduleStore, Store, Written } from '../../control-plane/store/store.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import type { Post } from './post.ts'

/** Is told of each write, before anything else happens. */
export interface Witness {
  wrote(task: TaskId, writer: number): void
  readonly post: Pick<Post, 'claimed' | 'moved'>
}

/** When a process is killed: before or after so many more writes. */
export interface Fuse {
  writes: number
  readonly after: boolean
}

/** Whose store it is. */
export interface Writer {
  readonly id: number
  readonly ended: string | null
  readonly fuse: Fuse | null
  kill(): void
}

/** What a dead process gets of everything that it still calls. */
class Dead extends Error {}

/** Says what was written, by the answer and the arguments of a method. */
type Tell = (answer: unknown, args: readonly unknown[]) => unknown

/** The store as a process sees it: it may die at each write, and the disk may be full. */
export function watched(
  store: Store,
  writer: Writer,
  { watcher, machine }: { readonly watcher: Witness; readonly machine: { readonly diskFull: boolean } },
): Store {
  const { post } = watcher
  /** What is to be told of writes that are on disk only all together. */
  let together: (() => unknown)[] | null = null
  const living = <T extends object>(rows: T, tells: Partial<Record<keyof T, Tell>>): T => {
    const entries = Object.entries(rows).map(([name, method]: [string, unknown]) => {
      if (typeof method !== 'function') return [name, method]
      const tell = tells[name as keyof T]
      const called = (...args: readonly unknown[]): unknown => {
        if (writer.ended !== null) throw new Dead(`process ${writer.id} is ${writer.ended}`)
        const call = (): unknown => Reflect.apply(method, rows, args)
        if (tell === undefined) return call()
        if (together === null) return writing(writer, machine, call, (answer) => tell(answer, args))
        const answer = call()
        together.push(() => tell(answer, args))
        return answer
      }
      return [name, called]
    })
    return Object.fromEntries(entries) as T
  }
  const outbox = living<OutboxRows>(store.outbox, {
    claim: (letter) => letter !== null && post.claimed(letter as Letter),
    move: (done, [before, after]) => done === true && post.moved(before as Letter, after as Letter),
    giveUp: () => undefined,
  })
  const schedules = living<ScheduleStore>(store.schedules, {
    change: () => undefined,
    settle: () => undefined,
    decidedTo: () => undefined,
    endOccurrences: () => undefined,
  })
  const tasks = living<Store>(store, {
    write: (answer, [change]) =>
      (answer as Written | Lost).kind === 'written' && watcher.wrote((change as Change).after.id, writer.id),
    heartbeat: (done, [id]) => done === true && watcher.wrote(id as TaskId, writer.id),
    recordEgress: () => undefined,
  })
  return {
    ...tasks,
    together(acts) {
      const written: (() => unknown)[] = []
      const all = () => {
        together = written
        try {
          return tasks.together(acts)
        } finally {
          together = null
        }
      }
      return writing(writer, machine, all, () => written.forEach((tell) => tell()))
    },
    outbox,
    schedules,
  }
}

function writing<T>(
  writer: Writer,
  machine: { readonly diskFull: boolean },
  act: () => T,
  tell: (answer: T) => void,
): T {
  if (machine.diskFull) throw new Failure('disk', 'The disk is full.')
  const { fuse } = writer
  const dies = fuse?.writes === 0
  if (dies && !fuse.after) die(writer)
  const answer = act()
  tell(answer)
  if (dies) die(writer)
  if (fuse !== null) fuse.writes -= 1
  return answer
}

function die(writer: Writer): never {
  writer.kill()
  throw new Dead(`process ${writer.id} is killed`)
}
