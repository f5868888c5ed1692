import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something is so; rejects when it is not within ten seconds. */
export async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await done()); tries += 1) {
    if (tries === 1000) throw new Error('it did not happen within ten seconds')
    await sleep(10)
  }
}
