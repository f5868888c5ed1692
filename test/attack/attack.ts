import { it } from 'vitest'

/** What a case leaves for the report, in sentences for people. */
export interface Account {
  readonly tried: string
  /** What was really seen, in the order in which it was seen. */
  readonly happened: string[]
}

declare module 'vitest' {
  interface TaskMeta {
    attack?: Account
  }
}

/** Handed to each case, to say what it sees. */
export interface Witness {
  /** Notes what happened; a case that passes has noted something. */
  readonly saw: (sentence: string) => void
  /** Ends a case that this host cannot exercise. */
  readonly cannot: (reason: string) => never
}

/**
 * One attack: its number and what it is, what was tried, and the program that tries it and looks at the host afterwards.
 * `seconds`: its own time limit, where it is not the project's.
 */
export function attack(
  name: `A${string}`,
  tried: string,
  attempt: (witness: Witness) => Promise<void>,
  seconds?: number,
): void {
  it(
    name,
    async ({ task, skip }) => {
      const account: Account = { tried, happened: [] }
      task.meta.attack = account
      await attempt({
        saw: (sentence) => account.happened.push(sentence),
        cannot: (reason) => skip(reason),
      })
      if (account.happened.length === 0) throw new Error('the case does not say what it saw')
    },
    seconds === undefined ? undefined : seconds * 1000,
  )
}
