import { z } from 'zod'
import type { CommitId, TreeId } from '../domain/brand.ts'
import type { RawPath } from './raw.ts'
import type { Examined } from './seen.ts'

const commit = z.string().transform((text) => text as CommitId)
const tree = z.string().transform((text) => text as TreeId)
const raw = z.string().transform((text) => text as RawPath)

export const baseSchema = z.object({
  commit,
  /** What decides which paths are hidden. */
  policy: z.string(),
  /** What the base holds at denied paths: left out of every checkout, put back into every commit. */
  hidden: z.array(z.object({ mode: z.string(), id: z.string(), path: raw })),
  submodules: z.array(raw),
})

export const stateSchema = z.object({
  /** The commit that the worktree was last known to hold, its tree, and that tree without denied paths. */
  at: commit,
  tree,
  filtered: tree,
  /** The index of exactly `filtered` is `index-<generation>`. */
  generation: z.number(),
})

/** Fixed when the worktree is made. */
export type Base = z.infer<typeof baseSchema>
export type State = z.infer<typeof stateSchema>

/** What one process knows of a task. */
export interface Memory {
  readonly base: Base
  state: State
  /** Which folder the source was when it was last looked at; null before. */
  source: string | null
  /** What lies beside the commit, where that is known: since then nothing has had the worktree to write in. */
  clean: { readonly extras: readonly RawPath[] } | null
  /** What was seen of the worktree after its last box, for the next step of the same turn. */
  examined: Examined | null
  /** Setup keys of commits, as far as they are known. */
  readonly setupKeys: Map<CommitId, string>
  /** What one tree has that another has not, blobs and trees, after a step of this process; no box is denied any of it. */
  grown: { readonly from: TreeId; readonly to: TreeId; readonly objects: readonly string[] } | null
}
