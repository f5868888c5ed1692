import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'

/** Does what is submitted under a key of a caller; what is sent again meanwhile is not done a second time. */
type Submit = <T>({ actor }: Caller, key: string | null, work: () => Promise<T>) => Promise<T>

/** One repository may take long to look at. */
export function oneAtATime(): Submit {
  const underWay = new Set<string>()
  return async ({ actor }, key, work) => {
    if (key === null) return work()
    const name = JSON.stringify([actor.kind, actor.id, key])
    if (underWay.has(name)) {
      throw new Failure('conflict', 'This submission is under way: send it again in a moment for its answer.')
    }
    underWay.add(name)
    try {
      return await work()
    } finally {
      underWay.delete(name)
    }
  }
}
