import { copyBeforeUpgrade } from '../../../../control-plane/backup/upgrade.ts'
import { openStore } from '../../../../control-plane/store/open.ts'
import { missingFrom } from '../../../../src/worktree/missing.ts'
import { hostPath } from '../../store/home.ts'

// Brings the database of a data folder up to date as a start of the control plane does, and says how far it is.
const [, , data = ''] = process.argv
const owner = { pid: process.pid, startedAt: 1, what: 'test' }
console.log('begins')
await copyBeforeUpgrade({
  data: hostPath(data),
  attestationKey: null,
  owner,
  clock: Date.now,
  missing: missingFrom,
})
console.log('put aside')
openStore(hostPath(`${data}/cofferdam.db`))[Symbol.dispose]()
console.log('done')
