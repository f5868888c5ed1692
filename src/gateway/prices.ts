import type { Price, Prices } from '../domain/upstream.ts'

/** Tokens of one call by what they cost. */
export interface Tokens {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly cacheWriteHour: number
}

export const noTokens: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0 }

/** Null where nobody said what the model costs. */
export function priceOf(model: string, prices: Prices): Price | null {
  const fitting = Object.keys(prices).filter((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern,
  )
  const [best] = fitting.sort((a, b) => b.length - a.length)
  return best === undefined ? null : (prices[best] ?? null)
}

export function costOf(tokens: Tokens, price: Price): number {
  const millionths =
    tokens.input * price.input +
    tokens.output * price.output +
    tokens.cacheRead * price.cacheRead +
    tokens.cacheWrite * price.cacheWrite +
    tokens.cacheWriteHour * price.input * 2
  return millionths / 1e6
}
