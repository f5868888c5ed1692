import type { Client } from '../client/client.ts'
import type { TaskId } from '../domain/ids.ts'
import type { TaskEvent } from '../domain/task.ts'

/** The events of a task, page by page. */
export async function allEvents(client: Client, id: TaskId): Promise<readonly TaskEvent[]> {
  const all: TaskEvent[] = []
  for (;;) {
    const page = await client.events(id, all.at(-1)?.seq ?? 0)
    if (page.length === 0) return all
    all.push(...page)
  }
}
