import type { Agent, AgentSettings } from '../domain/agent.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { command } from './command.ts'
import { gemini } from './gemini.ts'
import { opencode } from './opencode.ts'
import { pi } from './pi.ts'
import { unset } from './settings.ts'

const withModels = { claude, codex, opencode, pi, gemini }

/** Every agent there is, by name, each as the operator wants it. */
export function openAgents(
  settings: Readonly<Record<string, AgentSettings>> = {},
): ReadonlyMap<string, Agent> {
  const models = Object.entries(withModels).map(([name, agent]) => agent(settings[name] ?? unset))
  return new Map([command, ...models].map((agent) => [agent.name, agent]))
}
