import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'

const full = 'The disk of the data folder is full.'

/** What git said, where it ran out of disk. */
export function diskFailure(said: string): Failure | null {
  return /No space left on device|Disk quota exceeded/.test(said) ? new Failure('disk', full) : null
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
