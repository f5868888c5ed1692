/** The agents that an image can have beside the core, by their names in `sandbox-image/agents`. */
export const imageAgents = ['claude', 'codex', 'gemini', 'opencode', 'pi'] as const
export type ImageAgent = (typeof imageAgents)[number]

export function isImageAgent(name: string): name is ImageAgent {
  return imageAgents.some((known) => known === name)
}

/** Whom an image is for: the agent that is to be in it, and the repository, by its absolute path. Null: any. */
export interface ImageNeed {
  readonly agent: string | null
  readonly repository: string | null
}

/** What is to be built: all that is configured, or with these agents; `fresh`: also what is there already. */
export interface WantedImage {
  readonly agents: readonly ImageAgent[] | null
  readonly fresh: boolean
}
