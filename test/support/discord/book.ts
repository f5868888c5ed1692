import type { TaskId } from '../../../src/domain/ids.ts'
import type { MessageBook, SentMessage } from '../../../src/domain/outbox/messages.ts'
import type { Task } from '../../../src/domain/task.ts'

/** What was sent, in memory and of one destination; `task` is how a task stands. */
export function aBook(task: (id: TaskId) => Task | undefined = () => undefined): MessageBook {
  const all = new Map<string, SentMessage>()
  const of = (id: TaskId): readonly SentMessage[] => [...all.values()].filter(({ taskId }) => taskId === id)
  const isBehind = ({ taskId, kind, shown }: SentMessage): boolean =>
    kind === 'status' && shown < (task(taskId)?.version ?? 0)
  const about = (message: string): readonly TaskId[] => {
    const rows = [...all.values()].filter((row) => row.message === message)
    const ids = rows.filter(({ kind }) => ['status', 'thread'].includes(kind)).map(({ taskId }) => taskId)
    return [...new Set(ids.toReversed())]
  }
  return {
    find: (_, id, kind) => all.get(`${id} ${kind}`) ?? null,
    put: (message) => void all.set(`${message.taskId} ${message.kind}`, message),
    forget: (_, { taskId, kind }) => {
      for (const [key, row] of all)
        if ((taskId ?? row.taskId) === row.taskId && (kind ?? row.kind) === row.kind) all.delete(key)
    },
    unsettled: (_, id) => of(id).filter(({ settled }) => !settled),
    newest: (_, id, prefix) => of(id).findLast(({ kind }) => kind.startsWith(prefix)) ?? null,
    taskOf: (_, message) => about(message)[0] ?? null,
    tasksOf: (_, message) => about(message),
    behind: () => [...new Set([...all.values()].filter(isBehind).map(({ taskId }) => taskId))],
  }
}
