import { randomBytes } from 'node:crypto'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { hostPath } from '../../src/config/places.ts'
import { taskId } from '../../src/domain/ids.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { gitFolder } from '../../src/sandbox/places.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import type { Lab } from './lab.ts'
import { premises } from './plane.ts'

interface Placed {
  readonly worktrees: Worktrees
  readonly place: TaskPlace
  /** Its path. */
  readonly worktree: string
}

/** A task on `repository`, its worktree laid out in a data folder of its own. */
export async function placed(lab: Lab, name: string, repository: string): Promise<Placed> {
  const config = loadConfig(premises(lab, name, 1), thisProcess())
  const worktrees = openWorktrees({
    data: lab.fresh(`${name}-data`),
    user: config.box,
    author: config.author,
    pointerTarget: gitFolder,
    policyMatcher: compilePolicy,
  })
  const { path, key, ref, commit } = await worktrees.inspect(repository, null)
  const id = taskId(randomBytes(10))
  const place: TaskPlace = {
    id,
    repository: { path, key },
    base: { ref, commit },
    branch: await worktrees.branchFor(path, id),
    policy: defaultPolicy,
  }
  await worktrees.open(place)
  const worktree = hostPath(await worktrees.materials(place).locate({ kind: 'worktree', path: '' }))
  return { worktrees, place, worktree }
}
