import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { endDeliveries } from '../../control-plane/restored.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { hostPath } from '../../src/config/places.ts'
import type { Task } from '../../src/domain/task.ts'
import { attesting } from '../support/attesting.ts'
import { aCommit, aTask, aTaskId, aTime } from '../support/task.ts'

const merge = {
  into: 'main',
  how: 'merge',
  accepted: [],
  at: aTime,
  tries: 1,
  from: aCommit,
  commit: aCommit,
  said: null,
  refusal: null,
} as const
const pull = {
  forge: 'github',
  project: 'ada/tools',
  remote: 'https://github.com/ada/tools.git',
  into: 'main',
  draft: true,
  at: aTime,
  pushed: null,
  number: null,
  url: null,
  said: null,
  refusal: null,
  unfollowed: null,
  accepted: [],
} as const

it.each([
  ['merge', { merge }, 'merge_refused', 'none'],
  ['merge_test', { merge }, 'merge_refused', 'none'],
  ['merge_move', { merge }, 'merge_refused', 'none'],
  ['undo', { merge }, 'undo_refused', 'merged'],
  ['push', { pull }, 'pull_refused', 'none'],
  ['pull_open', { pull }, 'pull_refused', 'none'],
] as const)(
  'a delivery in its phase %s ends where a copy of it was restored, once',
  (phase, some, type, to) => {
    const folder = mkdtempSync(join(tmpdir(), 'cofferdam-restored-'))
    const store = openStore(hostPath(join(folder, 'cofferdam.db')))
    onTestFinished(() => {
      store[Symbol.dispose]()
      rmSync(folder, { recursive: true })
    })
    const clock = (): number => aTime
    const tasks = new Tasks({ store, bus: new Bus(), clock, attestor: attesting(store) })
    const born = aTask({ status: 'APPLIED', delivery: 'delivering', phase, ...(some as Partial<Task>) })
    tasks.birth(born, 'Submitted.')
    const restart = (): void => endDeliveries({ data: hostPath(folder), store, tasks, clock })

    restart()
    expect(store.task(aTaskId)).toEqual(born)
    writeFileSync(join(folder, 'restored'), '1\n')
    restart()
    const after = store.task(aTaskId)
    expect([after?.delivery, after?.phase, existsSync(join(folder, 'restored'))]).toEqual([to, null, false])
    expect(store.events(aTaskId, 1, 9)).toMatchObject([
      {
        type,
        text: expect.stringMatching(
          / this was under way when the copy was made .* decide again\.$/,
        ) as string,
      },
    ])
    if (type === 'merge_refused') expect(store.openSurface(aTaskId)).not.toBeNull()
  },
)
