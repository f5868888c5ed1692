import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'

const full = 'The disk of the data folder is full.'

// A worker of a checkout leaves out why a write came to nothing.
const outOfDisk = /No space left on device|Disk quota exceeded|unable to write file '.*'$/m

/** What git said, where it ran out of disk. */
export function diskFailure(said: string): Failure | null {
  return outOfDisk.test(said) ? new Failure('disk', full) : null
}

/** Says for people that the disk is full; anything else goes through. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) throw new Failure('disk', full, { cause: error })
    throw error
  }
}
