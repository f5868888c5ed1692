import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Ability } from '../domain/rights.ts'
import type { Actor } from '../domain/task.ts'
import type { Who } from './api.ts'

const Context = createContext<Who>({ actor: { kind: 'local', id: '' }, role: 'viewer', may: [] })
export const WhoProvider = Context.Provider

/** Whether who looks may take back what this actor said. */
export function useMayWithdraw(): (by: Actor) => boolean {
  const { actor, role } = useContext(Context)
  return (by) => role === 'owner' || (by.kind === actor.kind && by.id === actor.id)
}

/** Whether who looks may do this: what they may not has no button. */
export function useMay(ability: Ability): boolean {
  return useContext(Context).may.includes(ability)
}
