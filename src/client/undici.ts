import { createRequire } from 'node:module'
import type { Agent, fetch } from 'undici'

const load = createRequire(import.meta.url)

/**
 * The parts of undici by which a server is called: to load all of it takes four times as long, which each command would wait
 * for. Loaded at the first call: a command that has the control plane in its own process makes none.
 */
export const undici = (): { Agent: typeof Agent; fetch: typeof fetch } => ({
  Agent: load('undici/lib/dispatcher/agent.js') as typeof Agent,
  fetch: (load('undici/lib/web/fetch/index.js') as { fetch: typeof fetch }).fetch,
})
