import type { Usage } from '../domain/agent.ts'
import type { Price } from '../domain/upstream.ts'
import type { Ledger } from './ledger.ts'
import { costOf, noTokens, type Tokens } from './prices.ts'
import { notRecorded } from './reach.ts'
import { busy, denied, type Refusal } from './refusal.ts'

/** The most that a call is expected to take. */
export interface Estimate {
  readonly input: number
  readonly output: number
}

/** A call that was let through, and what it has been charged so far. */
export interface Bill {
  /** Charges what came up since the last time: what is reported only grows. False where nobody wrote it down. */
  charge(reported: Tokens): boolean
  /** Charges the whole estimate, for a call of which nothing was reported. */
  chargeEstimate(): boolean
  /** Gives back what was set aside and not used. */
  settle(): void
}

/** What one box may still spend: what its task has left, less what its calls under way may come to. */
export class Purse {
  private readonly ledger: Ledger
  private readonly underWay = new Set<{ tokens: number; costUsd: number }>()

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  /** Sets the estimate aside, or refuses where it does not fit. */
  open(estimate: Estimate, price: Price | null, model: string): Bill | Refusal {
    const left = this.ledger.left()
    if (left === null) return notRecorded
    if (left.costUsd !== null && price === null)
      return denied(
        'no price',
        `Nobody said what the model "${model}" costs, and this task has a budget in money. Add its price to the configuration.`,
      )
    const whole: Tokens = { ...noTokens, ...estimate }
    const reserved = {
      tokens: estimate.input + estimate.output,
      costUsd: price === null ? 0 : costOf(whole, price),
    }
    const others = [...this.underWay]
    const sum = (pick: (each: { tokens: number; costUsd: number }) => number): number =>
      others.reduce((total, each) => total + pick(each), 0)
    const budgets = [
      ['tokens', left.tokens, reserved.tokens, sum(({ tokens }) => tokens)],
      ['cost', left.costUsd, reserved.costUsd, sum(({ costUsd }) => costUsd)],
    ] as const
    const over = budgets.find(([, most, own]) => most !== null && own > most)
    if (over !== undefined) return exhausted(over[0], this.ledger)
    // They are rarely used up to what was set aside for them.
    if (budgets.some(([, most, own, underWay]) => most !== null && own + underWay > most))
      return busy('The calls under way may use up the budget. Try again when one has ended.', 429)
    this.underWay.add(reserved)
    return this.bill(whole, reserved, price)
  }

  private bill(whole: Tokens, reserved: { tokens: number; costUsd: number }, price: Price | null): Bill {
    const { ledger, underWay } = this
    let charged = noTokens
    const charge = (reported: Tokens): boolean => {
      const most = combined(charged, reported, Math.max)
      const more = combined(most, charged, (now, before) => now - before)
      charged = most
      const usage = usageOf(more, price)
      if (usage.inputTokens + usage.outputTokens === 0) return true
      // What is charged is no longer left: it is not set aside twice.
      reserved.tokens = Math.max(0, reserved.tokens - usage.inputTokens - usage.outputTokens)
      reserved.costUsd = Math.max(0, reserved.costUsd - (usage.costUsd ?? 0))
      return ledger.spent(usage)
    }
    return {
      charge,
      chargeEstimate: () => charge(whole),
      settle: () => void underWay.delete(reserved),
    }
  }
}

function exhausted(budget: 'tokens' | 'cost', ledger: Ledger): Refusal {
  ledger.exhausted(budget)
  const what = budget === 'tokens' ? 'tokens' : 'money'
  return denied(
    'budget',
    `The task's budget of ${what} does not cover another call. Resume it with a larger one.`,
    429,
  )
}

function combined(a: Tokens, b: Tokens, by: (a: number, b: number) => number): Tokens {
  return {
    input: by(a.input, b.input),
    output: by(a.output, b.output),
    cacheRead: by(a.cacheRead, b.cacheRead),
    cacheWrite: by(a.cacheWrite, b.cacheWrite),
    cacheWriteHour: by(a.cacheWriteHour, b.cacheWriteHour),
  }
}

function usageOf(tokens: Tokens, price: Price | null): Usage {
  return {
    inputTokens: tokens.input + tokens.cacheRead + tokens.cacheWrite + tokens.cacheWriteHour,
    outputTokens: tokens.output,
    costUsd: price === null ? null : costOf(tokens, price),
  }
}
