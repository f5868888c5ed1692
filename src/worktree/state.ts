import type { CommitId, HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { Policy } from '../domain/policy.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { copyIndex, drop, exists, readJson, writeFleeting, writeWhole } from './files.ts'
import { treesOf } from './filtered.ts'
import { indexFile, layoutOf, worktreePlace, type TaskLayout } from './layout.ts'
import { baseSchema, stateSchema, type Base, type Memory, type State } from './memory.ts'
import type { Site } from './site.ts'
import { unlock } from './unlock.ts'

/** Tells policies apart that hide different paths. */
export function hidingOf(policy: Policy): string {
  return JSON.stringify([[...policy.deny].sort(), [...policy.except].sort()])
}

/** Null where no complete worktree of this base and policy is there. */
export async function recall(site: Site, task: TaskPlace): Promise<Memory | null> {
  const layout = layoutOf(site.data, task)
  const known = site.memories.get(task.id)
  if (known === undefined) await unlock(layout)
  const base = known?.base ?? readJson(layout.baseFile, baseSchema)
  const state = known?.state ?? readJson(layout.stateFile, stateSchema)
  if (base === null || state === null) return null
  if (base.commit !== task.base.commit || base.policy !== hidingOf(task.policy)) return null
  const parts = [indexFile(layout, state.generation), layout.worktree, layout.gitDir]
  if (!parts.every(exists)) return null
  const memory = known ?? {
    base,
    state,
    source: null,
    clean: null,
    examined: null,
    grown: null,
    setupKeys: new Map(),
  }
  site.memories.set(task.id, memory)
  return memory
}

export async function memoryOf(site: Site, task: TaskPlace): Promise<Memory> {
  const memory = await recall(site, task)
  if (memory === null)
    throw new Failure(
      'worktree',
      `Task ${task.id} has no worktree: resume it, which makes one from its last checkpoint.`,
    )
  return memory
}

export async function writeBase(path: HostPath, base: Base): Promise<void> {
  await writeWhole(path, JSON.stringify(base))
}

/** Records what the worktree holds now; its index is written. */
export function settleAt(site: Site, task: TaskPlace, state: State): State {
  writeFleeting(layoutOf(site.data, task).stateFile, JSON.stringify(state))
  return state
}

/** Removes an index that no state names any more. */
export function dropIndex(layout: TaskLayout, generation: number): void {
  drop(indexFile(layout, generation))
}

/** Makes the index that of another commit without touching the worktree: for a look back after a kill. */
export async function realign(site: Site, task: TaskPlace, memory: Memory, commit: CommitId): Promise<void> {
  if (memory.state.at === commit) return
  const layout = layoutOf(site.data, task)
  const { tree, filtered } = await treesOf(site, task, memory, commit)
  const { generation } = memory.state
  const next = worktreePlace(layout, generation + 1)
  await copyIndex(indexFile(layout, generation), next.index)
  await site.git.run(next, ['read-tree', '--reset', filtered])
  memory.clean = null
  memory.examined = null
  memory.state = settleAt(site, task, { at: commit, tree, filtered, generation: generation + 1 })
  dropIndex(layout, generation)
}
