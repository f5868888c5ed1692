import type { Usage } from '../domain/agent.ts'
import type { Millis } from '../domain/brand.ts'
import type { EgressCounts, EgressDecision } from '../domain/egress.ts'
import type { Leak, Overseer, SpendLeft, Unavailable } from '../domain/gateway.ts'
import type { Refusal } from './refusal.ts'

/** What a box asked for, as it is recorded. */
export type Asked = Pick<EgressDecision, 'kind' | 'host' | 'port' | 'method' | 'path'>

/** A decision that let something pass, which has an end to be recorded. */
export interface Entry {
  /** Recorded anew before another address is dialled; false where that failed. */
  dials(address: string): boolean
  /** Once; later calls are ignored. `refusal` where it did not pass after all. */
  end(moved: { readonly up: number; readonly down: number }, refusal?: Refusal): void
}

/** Refusals of one kind that are each on record; after them every tenth power is, under the id of the last one. */
const eachUpTo = 5
/** Different refusals that are told apart; a box that makes up names gets one common entry for all further ones. */
const kindsUpTo = 200
/** Times that a secret of one name, way and encoding is told. */
const leaksUpTo = 5

/**
 * The record of one box: numbers its decisions, counts, and tells the overseer. An overseer that throws is taken for one
 * that did not hear: what it had to hear does not pass.
 */
export class Ledger {
  private readonly overseer: Overseer
  private readonly clock: () => Millis
  /** Takes known secrets out of what is recorded. */
  private readonly redact: (text: string) => string
  private id = 0
  private readonly refusals = new Map<string, { count: number; recorded: number; last: EgressDecision }>()
  private readonly leaks = new Map<string, number>()
  private readonly sums = { allowed: 0, denied: 0, bytesUp: 0, bytesDown: 0, inputTokens: 0, outputTokens: 0 }
  private costUsd: number | null = 0
  /** Set when money was spent that nobody wrote down: nothing may be spent any more. */
  private unheard = false

  constructor(overseer: Overseer, clock: () => Millis, redact: (text: string) => string) {
    this.overseer = overseer
    this.clock = clock
    this.redact = redact
  }

  deny(asked: Asked, refusal: Refusal): void {
    if (refusal.verdict === 'denied') this.sums.denied += 1
    const own = JSON.stringify([asked.kind, asked.host, asked.port, refusal.verdict, refusal.rule])
    const key = this.refusals.has(own) || this.refusals.size < kindsUpTo ? own : 'further'
    const group = this.refusals.get(key)
    if (group !== undefined && group.count >= eachUpTo) {
      group.count += 1
      if (Number.isInteger(Math.log10(group.count))) this.tellCount(group)
      return
    }
    const decision = this.decision(asked, refusal)
    this.refusals.set(key, {
      count: (group?.count ?? 0) + 1,
      recorded: (group?.count ?? 0) + 1,
      last: decision,
    })
    this.tell(() => this.overseer.decided(decision))
  }

  /** Records that something is let through; null where it could not be recorded. */
  allow(asked: Asked, rule: string, text: string, address: string | null): Entry | null {
    let decision = this.decision(asked, { verdict: 'allowed', rule, text, address })
    if (!this.tell(() => this.overseer.decided(decision))) return null
    this.sums.allowed += 1
    let ended = false
    return {
      dials: (address) => {
        decision = { ...decision, address }
        return this.tell(() => this.overseer.decided(decision))
      },
      end: ({ up, down }, refusal) => {
        if (ended) return
        ended = true
        if (refusal?.verdict === 'denied') {
          this.sums.allowed -= 1
          this.sums.denied += 1
        }
        const change =
          refusal === undefined
            ? {}
            : { verdict: refusal.verdict, rule: refusal.rule, text: this.redact(refusal.text) }
        this.tell(() => this.overseer.decided({ ...decision, ...change, bytesUp: up, bytesDown: down }))
      },
    }
  }

  moved(up: number, down: number): void {
    this.sums.bytesUp += up
    this.sums.bytesDown += down
  }

  /** Null where nobody can say what is left. */
  left(): SpendLeft | null {
    let left: SpendLeft | null = null
    this.tell(() => (left = this.overseer.left()))
    return this.unheard ? null : left
  }

  /** False where it was not heard: from then on `left` is null. */
  spent(usage: Usage): boolean {
    this.sums.inputTokens += usage.inputTokens
    this.sums.outputTokens += usage.outputTokens
    this.costUsd = this.costUsd === null || usage.costUsd === null ? null : this.costUsd + usage.costUsd
    if (this.tell(() => this.overseer.spent(usage))) return true
    this.unheard = true
    return false
  }

  exhausted(budget: 'tokens' | 'cost'): void {
    this.tell(() => this.overseer.exhausted(budget))
  }

  unavailable(unavailable: Unavailable): void {
    this.tell(() => this.overseer.unavailable(unavailable))
  }

  leaked(leak: Leak): void {
    const key = JSON.stringify(leak)
    const count = (this.leaks.get(key) ?? 0) + 1
    this.leaks.set(key, count)
    if (count <= leaksUpTo) this.tell(() => this.overseer.leaked(leak))
  }

  counts(): EgressCounts {
    return { ...this.sums, costUsd: this.costUsd }
  }

  /** Records how often each refusal came, where that is not on record yet. */
  close(): void {
    for (const group of this.refusals.values()) if (group.recorded < group.count) this.tellCount(group)
  }

  private tellCount(group: { count: number; recorded: number; readonly last: EgressDecision }): void {
    group.recorded = group.count
    const text = `${group.last.text} (${group.count} times by now)`
    this.tell(() => this.overseer.decided({ ...group.last, text }))
  }

  private decision(
    asked: Asked,
    outcome: Pick<EgressDecision, 'verdict' | 'rule' | 'text'> & { readonly address?: string | null },
  ): EgressDecision {
    this.id += 1
    return {
      id: this.id,
      at: this.clock(),
      kind: asked.kind,
      host: printable(this.redact(asked.host), 255),
      port: asked.port,
      method: asked.method,
      path: asked.path === null ? null : printable(this.redact(asked.path), 500),
      verdict: outcome.verdict,
      rule: outcome.rule,
      text: this.redact(outcome.text),
      address: outcome.address ?? null,
      bytesUp: null,
      bytesDown: null,
    }
  }

  private tell(say: () => void): boolean {
    try {
      say()
      return true
    } catch {
      return false
    }
  }
}

/** A text of a box as it may be shown: nothing that moves a cursor or reorders a line. */
function printable(text: string, most: number): string {
  return text.slice(0, most).replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\u{FFFD}')
}
