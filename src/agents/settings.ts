import type { AgentSettings } from '../domain/agent.ts'
import { gatewayAddress } from '../domain/egress.ts'

export const unset: AgentSettings = { upstream: null, model: null }

/** Where an upstream is in the box. */
export function addressOf(upstream: string): string {
  return `http://${gatewayAddress}/${upstream}`
}

/** Stands where a program wants a key. The gateway puts the real one in its place. */
export const placeholderKey = 'placeholder'

/**
 * For agents that know no model by themselves. Of 27 November 2026; an `openai-compatible` server has models of its own,
 * and wants one named.
 */
export const usualModels = {
  anthropic: 'claude-sonnet-4-6',
  openai: 'gpt-5.1-codex',
  gemini: 'gemini-2.5-pro',
} as const

export function modelFor(upstream: string, model: string | null): string {
  return model ?? Object.entries(usualModels).find(([name]) => name === upstream)?.[1] ?? 'default'
}
