import type { Agent } from '../domain/agent.ts'
import { claude } from './claude.ts'
import { command } from './command.ts'

/** Every agent there is, by name. */
export const agents: ReadonlyMap<string, Agent> = new Map(
  [command, claude].map((agent) => [agent.name, agent]),
)
