import { expect, it } from 'vitest'
import { hitLines } from '../../src/discord/commands/found.ts'
import { handlers } from '../../src/discord/commands/handlers.ts'
import { statusMessage } from '../../src/discord/messages/status.ts'
import type { Task } from '../../src/domain/task.ts'
import { anOwner, aTask } from '../support/task.ts'

async function shown(task: Task): Promise<readonly (string | undefined)[]> {
  const deps = { plane: () => ({ tasks: () => [task] }), settings: {}, book: {} }
  const typed = { text: () => null, number: () => null, yes: () => null }
  const list = await handlers['task_list']?.(deps as never, { caller: anOwner, typed, key: 'k' })
  return [
    statusMessage(task, []).embeds?.[0]?.description,
    list?.text,
    hitLines({ hits: [{ task, snippets: [] }], more: false, behind: 0 }),
  ]
}

it('a question is called one by its status message, in the list and where it is found; a change is not', async () => {
  for (const each of await shown(aTask({ kind: 'question', goal: 'Why?' })))
    expect(each).toMatch(/(?:^|— )\*\*Question\*\*: Why\?/)
  for (const each of await shown(aTask({ goal: 'Why?' }))) expect(each).toMatch(/(?:^|— )Why\?/)
})
