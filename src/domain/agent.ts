import type { BoxResult } from './box.ts'

/** Which agent a task uses. `argv` is for `command` alone. */
export interface AgentChoice {
  readonly name: string
  readonly argv: readonly string[]
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
}

/** What a step's agent box left, read by the agent's adapter. */
export interface AgentResult {
  readonly marker: Marker
  /** The agent's final message, at most 64 KiB. */
  readonly text: string
  readonly exitCode: number | null
  /** A session to go on with in the next step, where the agent has such a thing. */
  readonly session: string | null
  readonly usage: Usage | null
  /** Set where the step failed: a sentence; the loop carries it into the next prompt. */
  readonly failure: string | null
}

/** One agent CLI. Pure: it says how to start the program and how to read what it left. */
export interface Agent {
  readonly name: string
  call(choice: AgentChoice, session: string | null): AgentCall
  /** `prompt` is what the step was started with: an agent that only repeats it has said nothing. */
  read(result: BoxResult, prompt: string): AgentResult
}
