import { openStore } from '../../../../control-plane/store/open.ts'
import { claim } from '../../../support/change.ts'
import { hostPath } from '../home.ts'

// Claims tasks until none is PENDING, then prints how many it got and how many it lost to another.
const store = openStore(hostPath(process.argv[2] ?? ''))
let won = 0
let lost = 0
for (;;) {
  const task = store.oldestPending(new Set(), null)
  if (task === null) break
  if (store.write(claim(task, 1)).kind === 'written') won += 1
  else lost += 1
}
store[Symbol.dispose]()
console.log(JSON.stringify({ won, lost }))
