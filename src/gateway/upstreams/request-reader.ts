import type { Inspected, Inspection } from './upstream.ts'

type Value = Parameters<Inspection['visit']>[1]

/** Text has about four bytes for each token; what an image or a page comes to, whatever its bytes. */
const bytesPerToken = 4
const tokensPerPicture = 1600

/** What was found in a request so far; the first thing that is wrong with it counts. */
export class Findings {
  private readonly seen = new Set<string>()
  private problem: string | null = null
  private pictures = 0
  private pictureBytes = 0
  model: string | null = null
  /** By the key that it stands under. */
  readonly numbers = new Map<string, number>()
  isStream = false

  object(text: string): void {
    this.problem ??= text
  }

  closed(what: string): void {
    this.object(
      `${what} is not allowed: with it the provider would reach the network for the box. Leave it out.`,
    )
  }

  has(key: string): boolean {
    return this.seen.has(key)
  }

  /** For keys that decide what a call is: they may be there once. */
  once(key: string): void {
    if (this.seen.has(key)) this.object(`The request has "${key}" twice.`)
    this.seen.add(key)
  }

  /** A whole number that is not negative; null is as if it were not there. */
  number(key: string, value: Value): void {
    if (value === null) return
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) this.numbers.set(key, value)
    else this.object(`"${key}" is no whole number.`)
  }

  /** A place where content may lie elsewhere: it has to be in the request itself. */
  source(value: Value): void {
    if (typeof value !== 'string') return
    if (!value.startsWith('data:')) return this.closed('Content by its address')
    this.picture(value.length)
  }

  picture(bytes: number): void {
    this.pictures += 1
    this.pictureBytes += bytes
  }

  /** `output` null: the request does not say how much it may be. */
  result(
    bytes: number,
    output: number | null,
    choices = 1,
    append: readonly string[] = [],
  ): Inspected | { problem: string } {
    if (this.problem !== null) return { problem: this.problem }
    if (this.model === null) return { problem: 'The request names no model.' }
    const input =
      Math.ceil(Math.max(0, bytes - this.pictureBytes) / bytesPerToken) + this.pictures * tokensPerPicture
    return { model: this.model, estimate: { input, output }, choices, append }
  }
}
