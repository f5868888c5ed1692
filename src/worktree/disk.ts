import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'

const full = 'The disk of the data folder is full.'

const outOfDisk = /No space left on device|Disk quota exceeded/

/** A worker of a checkout leaves out why a write came to nothing. */
const notWritten = /unable to write file '.*'$/m

/** What git said, where it ran out of disk, or could not write. */
export function diskFailure(said: string): Failure | null {
  if (outOfDisk.test(said)) return new Failure('disk', full)
  if (!notWritten.test(said)) return null
  return new Failure('disk', 'The disk takes no more of a checkout: it is full, or failing (see `dmesg`).')
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
