import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { perform } from '../../control-plane/gate/act.ts'
import { withdraw } from '../../control-plane/review/withdraw.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { hostPath } from '../../src/config/places.ts'
import { commands } from '../../src/discord/commands/definitions.ts'
import { handlers } from '../../src/discord/commands/handlers.ts'
import { nextSteps } from '../../src/discord/messages/news.ts'
import type { Caller } from '../../src/domain/caller.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { attesting } from '../support/attesting.ts'
import { commands as taken, fit } from '../support/discord/shapes.ts'
import { anOperator, anOwner, aPull, aTask, aTaskId as id, aViewer } from '../support/task.ts'

// What is said by a command after the work is done: by the rules of the gate, with nothing in its place.

let folder: string
let store: Store
let tasks: Tasks
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-said-later-'))
  store = openStore(hostPath(join(folder, 'cofferdam.db')))
  tasks = new Tasks({ store, bus: new Bus(), clock: () => 1, attestor: attesting(store) })
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function use(command: string, options: Readonly<Record<string, string | number>>, caller: Caller) {
  const plane = {
    task: () => tasks.get(id),
    act: (task: TaskId, act: Act, by: Caller, shown: number | null) =>
      Promise.resolve().then(() =>
        perform({ store, tasks, clock: () => 1 }, task, act, { caller: by, shown }),
      ),
    withdraw: (task: TaskId, review: number, by: Caller) => withdraw({ store, tasks }, task, review, by),
  }
  const typed = {
    text: (name: string) => (name === 'task' ? id : (options[name]?.toString() ?? null)),
    number: (name: string) => Number(options[name]),
    yes: () => null,
  }
  const deps = { plane: () => plane as never, settings: {} as never, book: {} as never }
  try {
    return (await handlers[command]?.(deps, { caller, typed, key: 'k' }))?.text
  } catch (error) {
    return String(error)
  }
}

it('Discord takes every command as it is', () => {
  expect(fit(taken, commands)).toHaveLength(commands.length)
})

it.each([
  ['merged', 'pr_merged', `Task \`${id}\`: An owner says that #7 of ada/tools is merged into main there.`],
  ['closed', 'pr_closed', `Task \`${id}\`: An owner says that #7 of ada/tools was closed there, and is not`],
] as const)('/task_pull_ended as:%s leaves it %s', async (as, delivery, said) => {
  const pull = aPull({ number: 7, into: 'main', unfollowed: 'Away.' })
  tasks.birth(
    aTask({ status: 'APPLIED', delivery: 'pr_open', pull, createdBy: anOperator.actor }),
    'Submitted.',
    {},
  )
  expect(nextSteps(tasks.get(id), false)).toContain(`\`/task_pull_ended task:${id} as:merged\``)
  expect(await use('task_pull_ended', { as }, aViewer)).toMatch(/not_allowed|may look/)
  expect(await use('task_pull_ended', { as }, anOperator)).toMatch(
    /is an operator, and may not say what became of the pull request of a task: an owner can do that\.$/,
  )
  expect(await use('task_pull_ended', { as: 'lost' }, anOwner)).toMatch(/`as` takes merged or closed\.$/)
  expect(tasks.get(id).delivery).toBe('pr_open')
  expect(await use('task_pull_ended', { as }, anOwner)).toContain(said)
  expect(tasks.get(id).delivery).toBe(delivery)
  expect(await use('task_pull_ended', { as: 'closed' }, anOwner)).toContain(
    'to say what became of its pull request is not possible',
  )
})

it('/task_withdraw takes back what was said, once, by who said it or an owner', async () => {
  tasks.birth(aTask({ status: 'APPLIED', createdBy: anOperator.actor }), 'Submitted.', {})
  const said = { text: 'Not this.', comments: [] }
  const { version: review } = tasks.act(id, { type: 'reviewed', text: 'Not this.' }, anOwner.actor, () => ({
    data: said,
  }))
  expect(await use('task_withdraw', { review }, anOperator)).toMatch(
    /is an operator, and that is not what they said: an owner can withdraw it\.$/,
  )
  expect(await use('task_withdraw', { review: 90 }, anOwner)).toContain(
    `Task ${id} has no review 90 to be withdrawn: there is ${review} (`,
  )
  expect(await use('task_withdraw', { review }, anOwner)).toBe(
    `What was said in review ${review} of task \`${id}\` is withdrawn.`,
  )
  expect(store.events(id, 0, 100).at(-1)).toMatchObject({ type: 'review_withdrawn', data: { review } })
  expect(await use('task_withdraw', { review }, anOwner)).toMatch(/to be withdrawn: there is none\.$/)
})
