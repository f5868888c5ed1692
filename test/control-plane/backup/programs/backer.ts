import { backUp } from '../../../../control-plane/backup/backup.ts'
import { Failure } from '../../../../src/domain/failure.ts'
import { missingFrom } from '../../../../src/worktree/missing.ts'
import { hostPath } from '../../store/home.ts'

// Backs a data folder up, and says so before and after; what it is told goes out as JSON.
const [, , data = '', place = ''] = process.argv
const owner = { pid: process.pid, startedAt: 1, what: 'backup' }
console.log('begins')
try {
  await backUp(hostPath(place), {
    data: hostPath(data),
    attestationKey: null,
    owner,
    clock: Date.now,
    missing: missingFrom,
  })
  console.log('done')
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.log(JSON.stringify({ code: error.code, message: error.message }))
}
