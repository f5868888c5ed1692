import type { AgentChoice } from '../../src/domain/agent.ts'
import type { Checkpoint } from '../../src/domain/task.ts'

/** After so many attempts of a step that its provider did not let through, the next agent takes over. */
const patience = 2

/** Who makes the next attempt at a step. */
export interface AgentNow {
  readonly name: string
  /** All of them have had their turn at this step since: the first one begins again. */
  readonly round: number
}

/**
 * The agent of a task, or the one that takes its place, after these attempts at one step: a key that is not accepted is
 * enough, a provider that lets nothing through gets another try. `last` is who made the step before: who has taken over
 * stays. Pure.
 */
export function agentNow(
  { name, fallback = [] }: AgentChoice,
  attempts: readonly Checkpoint[],
  last: string | null = null,
): AgentNow {
  const names = [name, ...fallback]
  let at = Math.max(0, names.indexOf(last ?? name))
  let refused = 0
  for (const { agent, state } of attempts) {
    // A halt was between: what a person has looked at may be mended.
    if (state === 'partial') at = 0
    const error = agent?.error
    refused = error === 'rate_limit' || error === 'overload' ? refused + 1 : 0
    if (error === 'auth' || refused === patience) {
      at += 1
      refused = 0
    }
  }
  return { name: names[at % names.length] ?? name, round: Math.floor(at / names.length) }
}

/** A conversation to go on with, and under what name its files are kept. */
export interface Conversation {
  readonly id: string
  readonly keptAs: string
}

/**
 * The conversation that an agent's next attempt goes on with: the last one of a step whose work was kept, by the same
 * agent. Null where there is none, and where it, or an attempt since, failed because of it. Pure.
 */
export function keptConversation(name: string, rows: readonly Checkpoint[]): Conversation | null {
  const at = rows.findLastIndex(({ state, agent }) => state === 'kept' && agent !== null)
  const kept = rows[at]
  if (kept?.agent?.session == null || kept.agent.by !== name) return null
  const isSpoilt = rows
    .slice(at)
    .some(({ agent }) => agent?.error === 'context' || agent?.error === 'session')
  return isSpoilt ? null : { id: kept.agent.session, keptAs: keptName(kept) }
}

/**
 * The same for a question that follows another up: where it has not answered anything itself, it goes on with the
 * conversation of that one. Pure.
 */
export function conversationNow(
  name: string,
  own: readonly Checkpoint[],
  parent: readonly Checkpoint[],
): (Conversation & { readonly inherited: boolean }) | null {
  const has = own.some(
    ({ state, agent }) =>
      (state === 'kept' && agent !== null) || agent?.error === 'context' || agent?.error === 'session',
  )
  const found = keptConversation(name, has ? own : parent)
  return found === null ? null : { ...found, inherited: !has }
}

export function keptName({ step, attempt }: Pick<Checkpoint, 'step' | 'attempt'>): string {
  return `s${step}-a${attempt}`
}

/** Who made the last step before this one whose work was kept; null where nobody has. Pure. */
export function lastAgent(rows: readonly Checkpoint[], step: number): string | null {
  return rows.findLast((row) => row.step < step && row.state === 'kept')?.agent?.by ?? null
}

/** How long the next attempt waits after so many that a provider did not let through, ms: twenty minutes in all. */
export function providerPause(losses: number): number {
  return [15_000, 60_000, 240_000, 900_000][losses] ?? 900_000
}
