import { lockFolder } from '../../../../control-plane/store/lock.ts'
import { hostPath } from '../home.ts'

// Takes the lock of a folder, says whether it got it, and keeps it until it is told to go or is killed.
const lock = lockFolder(hostPath(process.argv[2] ?? ''), { pid: process.pid, startedAt: 1, what: 'test' })
console.log(lock === null ? 'refused' : 'held')
process.stdin.resume()
process.stdin.on('end', () => lock?.[Symbol.dispose]())
