import type { Price, PriceList } from '../domain/upstream.ts'

/** Cached input costs a tenth of the input at all three providers, where nothing else is said. */
function price(input: number, output: number, maxOutput: number, cacheWrite: number = input): Price {
  return { input, output, cacheRead: input / 10, cacheWrite, maxOutput }
}

/** Writing to Anthropic's cache costs 1.25 times the input; at the others it costs what the input does. */
const claude = (input: number, output: number, maxOutput: number): Price =>
  price(input, output, maxOutput, input * 1.25)

/**
 * What the providers' lists said on that day for calls of usual length, where the configuration has no prices. A name is
 * whole, or goes on with a date: what only begins like it may cost ten times as much.
 */
export const shippedPrices: PriceList = {
  asOf: '2026-05-05',
  isShipped: true,
  models: {
    // The first one came after that day, at the price of those before it.
    ...named('claude-opus-4-8', claude(5, 25, 128_000)),
    ...named('claude-opus-4-7', claude(5, 25, 128_000)),
    ...named('claude-opus-4-6', claude(5, 25, 128_000)),
    ...named('claude-opus-4-5', claude(5, 25, 64_000)),
    ...named('claude-opus-4-1', claude(15, 75, 32_000)),
    ...named('claude-sonnet-4-6', claude(3, 15, 64_000)),
    ...named('claude-sonnet-4-5', claude(3, 15, 64_000)),
    ...named('claude-sonnet-4', claude(3, 15, 64_000)),
    ...named('claude-haiku-4-5', claude(1, 5, 64_000)),
    ...named('gpt-5.5', price(5, 30, 128_000)),
    ...named('gpt-5.4', price(2.5, 15, 128_000)),
    ...named('gpt-5.4-nano', price(0.2, 1.25, 128_000)),
    ...named('gpt-5.4-mini', price(0.75, 4.5, 128_000)),
    ...named('gpt-5.3-codex', price(1.75, 14, 128_000)),
    ...named('gpt-5.2', price(1.75, 14, 128_000)),
    ...named('gpt-5.2-codex', price(1.75, 14, 128_000)),
    ...named('gpt-5.1', price(1.25, 10, 128_000)),
    ...named('gpt-5.1-codex', price(1.25, 10, 128_000)),
    ...named('gpt-5.1-codex-max', price(1.25, 10, 128_000)),
    ...named('gpt-5', price(1.25, 10, 128_000)),
    ...named('gpt-5-codex', price(1.25, 10, 128_000)),
    ...named('gpt-5-mini', price(0.25, 2, 128_000)),
    ...named('gpt-5-nano', price(0.05, 0.4, 128_000)),
    ...named('gemini-3.1-pro-preview', price(2, 12, 65_536)),
    ...named('gemini-3-pro-preview', price(2, 12, 65_536)),
    ...named('gemini-3-flash-preview', price(0.5, 3, 65_536)),
    ...named('gemini-2.5-pro', price(1.25, 10, 65_536)),
    ...named('gemini-2.5-flash', price(0.3, 2.5, 65_536)),
    ...named('gemini-2.5-flash-lite', { ...price(0.1, 0.4, 65_536), cacheRead: 0.025 }),
  },
}

function named(name: string, of: Price): Readonly<Record<string, Price>> {
  return { [name]: of, [`${name}-20*`]: of }
}
