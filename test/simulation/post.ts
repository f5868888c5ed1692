import type { Letter } from '../../src/domain/outbox/letter.ts'
import type { Clock } from './clock.ts'
import type { Mail } from './mail.ts'
import type { Reader } from './view.ts'

/** Looks at what every process does with letters, and notes what breaks an invariant. */
export class Post {
  readonly #reader: Reader
  readonly #clock: Clock
  /** What became of each letter last. */
  readonly #known = new Map<string, Letter>()
  /** Those that a person had tried again: they take their old place, but may come too late for it. */
  readonly #retried = new Set<string>()
  readonly #mail: Mail
  broken: string | null = null

  constructor(reader: Reader, { clock, mail }: { clock: Clock; mail: Mail }) {
    this.#reader = reader
    this.#clock = clock
    this.#mail = mail
    mail.onTaken = (letter) => this.#taken(letter)
  }

  /** Of a destination's letters only the first that has not ended is taken, and by one at a time. */
  claimed(letter: Letter): void {
    const first = this.#reader.openLetters(letter.destination)[0]
    const was = this.#known.get(letter.id)
    this.#known.set(letter.id, letter)
    const now = this.#clock.now()
    const free = (was?.state === 'waiting' ? was.nextAt : was?.leaseUntil) ?? 0
    if (first?.id !== letter.id) this.broken ??= `order: ${letter.id} was taken before ${first?.id}`
    else if (free > now) this.broken ??= `lanes: ${letter.id} was taken ${free - now} ms before its time`
    else if (letter.fence !== (was?.fence ?? 0) + 1) this.broken ??= 'lanes: it was taken under an old fence'
  }

  /** What becomes of a letter is written by who had it last, or by a person; what has arrived is over. */
  moved(before: Letter, after: Letter): void {
    this.#known.set(after.id, after)
    if (before.state === 'sent') this.broken ??= `lanes: ${before.id} had arrived, and is ${after.state}`
    if (after.state === 'sent' && !this.#mail.taken.has(after.id))
      this.broken ??= `lost: ${after.id} is on record as sent, and nobody has it`
    if (after.actor !== null && after.state === 'waiting') this.#retried.add(after.id)
  }

  /** What arrives for the first time has nothing before it that is still to come. */
  #taken(letter: Letter): void {
    if (this.#mail.taken.has(letter.id)) return
    const earlier = this.#reader
      .openLetters(letter.destination)
      .find(({ id, seq }) => seq < letter.seq && !this.#mail.taken.has(id) && !this.#retried.has(id))
    if (earlier !== undefined) this.broken ??= `order: ${letter.id} arrives before ${earlier.id}`
  }

  /** Once all is at rest, each letter has arrived, or lies where people see it. */
  atRest(): string | null {
    for (const { id, state, error } of this.#reader.letters()) {
      if (state === 'waiting' || state === 'sending') return `lost: ${id} is left ${state}`
      if (state === 'dead' && error === null) return `lost: ${id} was given up without a reason`
    }
    return null
  }
}
