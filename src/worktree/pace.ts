import { setImmediate } from 'node:timers/promises'

/** Long loops give way to other work now and then: no more than about 20 ms go by between two rests. */
export interface Pace {
  /** Whether it is time; cheap enough to be asked on every round. */
  due(): boolean
  rest(): Promise<void>
}

export function pace(sliceMs = 20): Pace {
  let count = 0
  let until = performance.now() + sliceMs
  return {
    due() {
      count += 1
      return count % 64 === 0 && performance.now() >= until
    },
    async rest() {
      await setImmediate()
      until = performance.now() + sliceMs
    },
  }
}
