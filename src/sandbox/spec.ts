import type { BoxRequest, BoxSpec } from '../domain/box.ts'
import { boxName } from '../domain/box-name.ts'
import type { BoxPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { boxEnv } from './env.ts'
import { mountPlan } from './mounts.ts'
import { attemptFolder, workFolder } from './places.ts'

/**
 * Computes everything about a box. Pure. Throws `Failure('worktree')` where a path that the policy denies is something
 * that no mount can cover, such as a symlink, and `Failure('bad_config')` where it would run as root.
 */
export function compileBox(request: BoxRequest): BoxSpec {
  if (request.user.uid === 0)
    throw new Failure('bad_config', 'A box never runs as root: give it the uid of an ordinary user.')
  const { testSeconds: _test, setupSeconds: _setup, ...limits } = request.policy.limits
  return {
    name: boxName(request),
    kind: request.kind,
    task: request.task,
    step: request.step,
    attempt: request.attempt,
    fence: request.fence,
    image: request.image,
    user: request.user,
    folder: workFolder,
    argv: request.argv,
    stdin: request.kind === 'agent' ? (`${attemptFolder}/prompt.md` as BoxPath) : null,
    env: boxEnv(request),
    egress: request.kind === 'agent' || request.kind === 'setup' ? request.egress : null,
    mounts: mountPlan(request),
    limits: {
      ...limits,
      // A package manager's cache is in the home folder, and cannot always be turned off.
      tmpMb: request.kind === 'setup' ? Math.max(limits.tmpMb, limits.memoryMb >> 1) : limits.tmpMb,
      seconds: request.seconds,
    },
  }
}
