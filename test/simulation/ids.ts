import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const { randomUUID } = crypto

/** From here on random ids are counted, so that the same seed gives the same rows. Disposing gives chance back. */
export function countedIds(): Disposable {
  let count = 0
  crypto.randomUUID = () => {
    count += 1
    return `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`
  }
  syncBuiltinESMExports()
  return {
    [Symbol.dispose](): void {
      crypto.randomUUID = randomUUID
      syncBuiltinESMExports()
    },
  }
}
