import type { BoxSpec } from '../../src/domain/box.ts'
import { left } from '../../src/domain/budget.ts'
import type { EgressDecision } from '../../src/domain/egress.ts'
import type { Leak, Overseer, Unavailable } from '../../src/domain/gateway.ts'
import { EgressJournal } from './egress-journal.ts'
import type { BoxNotices } from './notices.ts'
import type { Work } from './work.ts'

/** What models were paid since the last charge. */
export interface Spending {
  readonly tokens: number
  readonly costUsd: number
}

/** Who attends the box. */
export interface Hears {
  spent(spending: Spending): void
  /** The box is to be ended. */
  unavailable(unavailable: Unavailable): void
}

/** What one box does with its egress, on record: each decision, each charge, and what a person should see. */
export class BoxOverseer implements Overseer {
  readonly #work: Work
  readonly #notices: BoxNotices
  readonly #hears: Hears
  readonly #journal: EgressJournal

  constructor(work: Work, { name }: BoxSpec, notices: BoxNotices, hears: Hears) {
    this.#work = work
    this.#notices = notices
    this.#hears = hears
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
    this.#hears.spent({ tokens: inputTokens + outputTokens, costUsd: costUsd ?? 0 })
  }

  exhausted(budget: 'tokens' | 'cost'): void {
    this.#work.report({ type: 'budget_spent', reason: budget })
  }

  unavailable(unavailable: Unavailable): void {
    this.#work.log.warn({ ...unavailable }, 'a provider lets nothing through')
    this.#hears.unavailable(unavailable)
  }

  leaked(leak: Leak): void {
    this.#notices.leaked(leak)
  }

  /** Writes what still waits. */
  end(): void {
    this.#journal.flush()
  }
}
