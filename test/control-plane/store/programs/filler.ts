import { rmSync } from 'node:fs'
import { openStore } from '../../../../control-plane/store/open.ts'
import { Failure } from '../../../../src/domain/failure.ts'
import { birth, change } from '../../../support/change.ts'
import { aTask, aTaskId } from '../../../support/task.ts'
import { hostPath } from '../home.ts'

// Writes until the storage gives up, says what it was told, makes room by removing the ballast and tries once more.
const [, , file = '', ballast = ''] = process.argv
const store = openStore(hostPath(file))
let task = aTask({ goal: 'x'.repeat(5_000) })
try {
  store.write(birth(task))
  for (;;) {
    const next = change(task)
    store.write(next)
    task = next.after
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error
  const version = store.task(aTaskId)?.version
  const events = store.events(aTaskId, 0, 1_000_000).length
  rmSync(ballast, { force: true })
  const next = ballast === '' ? null : store.write(change(task)).kind
  const { code, message } = error
  console.log(JSON.stringify({ told: task.version, version, events, code, message, next }))
}
