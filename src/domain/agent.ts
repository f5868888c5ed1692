import type { BoxResult } from './box.ts'

/** Where the box has the agent's own folder: settings, which are laid down fresh, and conversations, which are kept. */
export const agentHome = '/cofferdam/agent'

/** Which agent a task uses. `argv` is for `command` alone. */
export interface AgentChoice {
  readonly name: string
  readonly argv: readonly string[]
  /** Agents that take its place where it cannot work, in this order; a person who names an agent gets that one alone. */
  readonly fallback?: readonly string[] | undefined
}

/** What the operator says about an agent; null leaves it to its adapter. */
export interface AgentSettings {
  /** The name of the upstream that it asks, where it can ask several. */
  readonly upstream: string | null
  readonly model: string | null
}

/** What an agent said at its end. `NONE`: no marker. */
export type Marker =
  | { readonly state: 'DONE' | 'CONTINUE' | 'NONE' }
  | { readonly state: 'BLOCKED'; readonly blockReason: string }

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number | null
}

/** How an agent is started for one step. The prompt is in a file and on its standard input, never in argv. */
export interface AgentCall {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Laid down fresh before each step, by their paths in the agent's own folder in the box: its settings. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Why a step of an agent failed, each with a rule of its own (`afterAgentError`): `rate_limit` and `overload` pass;
 * `auth` wants a person; `context` is a conversation that grew too long; `session` is one that is gone; `turns` is the
 * agent's own limit of turns; `crash` is all else.
 */
export const agentErrors = ['rate_limit', 'overload', 'auth', 'context', 'session', 'turns', 'crash'] as const
export type AgentErrorKind = (typeof agentErrors)[number]

/** What a step's agent box left, read by the agent's adapter. */
export interface AgentResult {
  readonly marker: Marker
  /** The agent's final message, at most 64 KiB. */
  readonly text: string
  readonly exitCode: number | null
  /** The conversation to go on with in the next step, by the id that the agent's program has for it; null: none. */
  readonly session: string | null
  /** As the agent counts it, for people to compare: what is charged is what the gateway counts. */
  readonly usage: Usage | null
  /** Set where the step failed: a sentence; the loop carries it into the next prompt. */
  readonly failure: string | null
  /** Set together with `failure`; not on record from before there were kinds. */
  readonly error?: AgentErrorKind | undefined
  /** The agent that ran, where it is not the one that the task names. */
  readonly by?: string | undefined
}

/** A thing that an agent did, as its program tells it. The one shape of it for the terminal and HTTP. */
export type AgentProgress =
  | { readonly kind: 'said'; readonly text: string }
  /** `text`: what with, in a line: a command, a pattern. `paths`: files that it changes, as the agent names them. */
  | { readonly kind: 'tool'; readonly tool: string; readonly text: string; readonly paths: readonly string[] }
  /** A line that is none of its own protocol, such as a warning. */
  | { readonly kind: 'line'; readonly text: string }
  /** What the task has spent on models so far, all steps together: told with each answer of a model. */
  | { readonly kind: 'spent'; readonly tokens: number; readonly costUsd: number }

/** Reads one run of an agent. */
export interface AgentReading {
  /**
   * Takes a line as it is printed. Null for an agent whose output is shown as it is. A box that is taken over prints from
   * the beginning again, so a reading is whole whoever began it.
   */
  readonly line: ((line: string) => readonly AgentProgress[]) | null
  /** What it came to. `prompt` is what the step was started with: an agent that only repeats it has said nothing. */
  end(result: BoxResult, prompt: string): AgentResult
}

/** One agent CLI. Pure: it says how to start the program and how to read what it left. */
export interface Agent {
  readonly name: string
  /** The upstream of its model, which its box gets besides those of the policy; null: it has no model of its own. */
  readonly upstream: string | null
  /** `conversation`: the id of the one to go on with; its files are in the agent's folder then. */
  call(choice: AgentChoice, conversation: string | null): AgentCall
  /** Whether a file of its folder, by its path there, belongs to its conversations: these alone are kept. */
  keeps(path: string): boolean
  reading(): AgentReading
}
