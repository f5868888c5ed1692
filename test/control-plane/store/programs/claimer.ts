import { setImmediate as turn } from 'node:timers/promises'
import { openStore } from '../../../../control-plane/store/open.ts'
import { claim } from '../../../support/change.ts'
import { hostPath } from '../home.ts'

// Says when it is ready, begins at the first line that it is told, and says when it has its first task. Claims until there is
// nothing more to claim and nothing more to hear, then prints how many it got and how many it lost to another.
const store = openStore(hostPath(process.argv[2] ?? ''))
let begun = false
let over = false
process.stdin.on('data', () => (begun = true)).on('end', () => (over = true))
console.log('ready')
let won = 0
let lost = 0
for (;;) {
  // Also where a task follows upon a task: what it is told is read in between.
  await turn()
  if (!begun && !over) continue
  const task = store.oldestPending(new Set(), null)
  if (task === null) {
    if (over) break
  } else if (store.write(claim(task, 1)).kind === 'lost') lost += 1
  else if ((won += 1) === 1) console.log('first')
}
store[Symbol.dispose]()
console.log(JSON.stringify({ won, lost }))
