import type { BoxSpec } from '../../src/domain/box.ts'
import { left } from '../../src/domain/budget.ts'
import type { EgressDecision } from '../../src/domain/egress.ts'
import type { Leak, Overseer } from '../../src/domain/gateway.ts'
import { EgressJournal } from './egress-journal.ts'
import type { BoxNotices } from './notices.ts'
import type { Work } from './work.ts'

/** What models were paid since the last charge. */
export interface Spending {
  readonly tokens: number
  readonly costUsd: number
}

/** What one box does with its egress, on record: each decision, each charge, and what a person should see. */
export class BoxOverseer implements Overseer {
  readonly #work: Work
  readonly #notices: BoxNotices
  readonly #charge: (spending: Spending) => void
  readonly #journal: EgressJournal

  constructor(work: Work, { name }: BoxSpec, notices: BoxNotices, charge: (spending: Spending) => void) {
    this.#work = work
    this.#notices = notices
    this.#charge = charge
    this.#journal = new EgressJournal(work.deps.store, work.task.id, name, work.log)
  }

  decided(decision: EgressDecision): void {
    this.#journal.put(decision)
    if (decision.verdict === 'denied') this.#notices.denied(decision)
  }

  left(): { tokens: number | null; costUsd: number | null } {
    const task = this.#work.deps.store.task(this.#work.task.id)
    return task === null ? { tokens: 0, costUsd: 0 } : left(task)
  }

  spent({ inputTokens, outputTokens, costUsd }: Parameters<Overseer['spent']>[0]): void {
    this.#charge({ tokens: inputTokens + outputTokens, costUsd: costUsd ?? 0 })
  }

  exhausted(budget: 'tokens' | 'cost'): void {
    this.#work.report({ type: 'budget_spent', reason: budget })
  }

  leaked(leak: Leak): void {
    this.#notices.leaked(leak)
  }

  /** Writes what still waits. */
  end(): void {
    this.#journal.flush()
  }
}
