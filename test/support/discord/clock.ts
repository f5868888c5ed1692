/** The times that Discord keeps to, ms; a test may shorten them. */
export interface Limits {
  /** How long a bot may take to answer an interaction for the first time. */
  readonly answer: number
  /** How long an interaction's token is good. */
  readonly token: number
  /** How long a nonce is remembered ("the past few minutes"). */
  readonly nonce: number
  readonly heartbeat: number
  /** The time from one reaction to the next. */
  readonly reaction: number
}

export const usual: Limits = {
  answer: 3000,
  token: 15 * 60_000,
  nonce: 5 * 60_000,
  heartbeat: 41_250,
  reaction: 250,
}

const discordEpoch = 1_420_070_400_000

/** Ids as Discord makes them: the time in their upper bits, so that a later one is larger. */
export function snowflakes(now: () => number): (at?: number) => string {
  let made = 0
  return (at = now()) => {
    made += 1
    return String((BigInt(at - discordEpoch) << 22n) + BigInt(made))
  }
}
