import { writeSync } from 'node:fs'
import { openStore } from '../../../../control-plane/store/open.ts'
import { birth, change } from '../../../support/change.ts'
import { aCheckpoint, aSpent, aTask, aTaskId } from '../../../support/task.ts'
import { hostPath } from '../home.ts'

// Works on one task as fast as it can, and says the version on standard output only after the write has returned.
const store = openStore(hostPath(process.argv[2] ?? ''))
if (store.task(aTaskId) === null) store.write(birth(aTask({ status: 'RUNNING', fence: 1 })))
for (;;) {
  const before = store.task(aTaskId)
  if (before === null) throw new Error('the task is gone')
  const step = before.version
  const next = change(
    before,
    { step, attempt: 1, spent: aSpent({ steps: step, ms: before.spent.ms + 1 }) },
    {
      close: store
        .checkpoints(aTaskId)
        .slice(-1)
        .map((point) => ({ ...point, state: 'kept' })),
      checkpoint: aCheckpoint({ step }),
    },
  )
  const { kind } = store.write(next)
  if (kind === 'lost') throw new Error('nobody else writes here')
  store.heartbeat(aTaskId, 1, { leaseUntil: step, chargeMs: 3, step, attempt: 1 })
  writeSync(1, `${next.after.version}\n`)
}
