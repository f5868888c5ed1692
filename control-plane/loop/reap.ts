import { readBoxName } from '../../src/domain/box-name.ts'
import type { LoopDeps } from './work.ts'

/**
 * Removes boxes of this installation that no attempt under way owns, and what was made for them. The list is taken
 * before the records are read: a box that is made in between is on record already.
 */
export async function reap(deps: LoopDeps): Promise<void> {
  const boxes = await deps.engine.list()
  const owned = new Set(deps.store.openBoxes())
  for (const box of boxes) {
    if (owned.has(box.name)) continue
    deps.log.info({ ...readBoxName(box.name), box: box.name }, 'removing a box that no attempt owns')
    await deps.engine.remove(box.name)
  }
  await deps.engine.sweep(owned)
}
