import type { Destination, Outcome } from '../../src/domain/outbox/destination.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import { type NewsType, newsOf, newsTypes, usualNews } from '../../src/domain/outbox/news.ts'

/** Who is told, and of what. */
export const told: Readonly<Record<string, readonly NewsType[]>> = {
  'webhook:all': newsTypes,
  'webhook:usual': usualNews,
}

const faults = ['passing', 'refused', 'gone'] as const
export const moods = ['takes', ...faults] as const
export type Mood = (typeof moods)[number]

/** Where letters arrive: those who receive them live outside of every process. */
export class Mail {
  /** What those who receive do with the next letter. */
  readonly moods = new Map<string, Mood>()
  /** By id: how often each was taken. */
  readonly taken = new Map<string, number>()
  /** Called with each letter that is taken, before it is noted. */
  onTaken: (letter: Letter) => void = () => undefined

  deliver(letter: Letter): Outcome {
    const mood = this.moods.get(letter.destination) ?? 'takes'
    if (mood !== 'takes') return { kind: 'failed', fault: mood, text: `It said: ${mood}.` }
    this.onTaken(letter)
    this.taken.set(letter.id, (this.taken.get(letter.id) ?? 0) + 1)
    return { kind: 'delivered' }
  }

  /** Those who receive, as one process sees them. */
  destinations(): readonly Destination[] {
    return Object.entries(told).map(([name, types]) => ({
      name,
      compose(event, task) {
        const news = newsOf(event, task)
        return news !== null && (types as readonly string[]).includes(news.type) ? news : null
      },
      deliver: async (letter) => this.deliver(letter),
    }))
  }
}
