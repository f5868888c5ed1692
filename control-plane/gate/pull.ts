import type { Act } from '../../src/domain/control-plane.ts'
import type { PullOffer } from '../../src/domain/decision.ts'
import { branchProblem, isTaskBranch } from '../../src/domain/delivery/merge.ts'
import { noToken, type PullEnd, pullName, type PullSettings } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Input } from '../../src/domain/input.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import { quotedInline } from '../../src/domain/shell.ts'
import { rulesOf } from '../../src/domain/standing.ts'
import type { Task } from '../../src/domain/task.ts'
import { possibleActs } from '../../src/domain/transition/apply.ts'
import { acceptedOf, refuseUnnamed } from './merge.ts'

type Wanted = Extract<Act, { act: 'pull-request' }>

/**
 * What a decision to propose a task's work comes to. Throws `Failure`: `bad_request` where no place for that is configured
 * or the branch cannot be one, `conflict` where something about the work wants an owner's word and is not named.
 */
export function pullDecided(
  task: Task,
  wanted: Wanted,
  configured: RepositoryDefaults,
  now: number,
): Extract<Input, { type: 'pull_decided' }> {
  const settings = settingsOf(task, configured)
  const { into, draft } = pullAsked(task, wanted, configured, settings)
  const problem = branchProblem(into)
  if (problem !== null) throw new Failure('bad_request', `${problem} Name the branch to propose it for.`)
  if (isTaskBranch(into))
    throw new Failure('bad_request', `${into} is a task's own branch: name the branch to propose it for.`)
  if (possibleActs(task).includes('pull-request')) refuseUnnamed(task, commandOf(task, wanted), wanted.accept)
  const accepted = acceptedOf(task, wanted.accept)
  const { forge, project, remote } = settings
  return { type: 'pull_decided', to: { forge, project, remote, into, draft, at: now }, accepted }
}

/** The command that asks for the same, but for what it accepts. */
function commandOf({ id }: Task, { into, draft }: Wanted): string {
  const branch = into === null ? '' : ` --into ${quotedInline(into)}`
  return `task pull-request ${id}${branch}${draft === null ? '' : draft ? ' --draft' : ' --ready'}`
}

/** What a person says has become of a pull request. */
export function pullEnded({ pull }: Task, as: PullEnd): Extract<Input, { type: `pull_${PullEnd}` }> {
  const name = pull === null ? 'the pull request' : pullName(pull)
  return as === 'merged'
    ? { type: 'pull_merged', text: `An owner says that ${name} is merged into ${pull?.into} there.` }
    : { type: 'pull_closed', text: `An owner says that ${name} was closed there, and is not merged.` }
}

/** What the button would do; null where no place for pull requests is configured. */
export function pullOffer(task: Task, configured: RepositoryDefaults): PullOffer | null {
  const settings = configured.delivery?.pull
  if (settings === undefined) return null
  const { forge, project } = settings
  const asked = pullAsked(task, { into: null, draft: null }, configured, settings)
  return { forge, project, ...asked, accepts: rulesOf(task) }
}

/** Completed by what is configured: else for the branch that the task began from. */
function pullAsked(
  { base }: Pick<Task, 'base'>,
  { into, draft }: Pick<Wanted, 'into' | 'draft'>,
  { delivery = {} }: RepositoryDefaults,
  settings: PullSettings,
): Pick<PullOffer, 'into' | 'draft'> {
  return { into: into ?? delivery.into ?? base.ref, draft: draft ?? settings.draft }
}

function settingsOf({ repository }: Task, { delivery }: RepositoryDefaults): PullSettings {
  const settings = delivery?.pull
  if (settings === undefined)
    throw new Failure(
      'bad_request',
      `Where pull requests of ${repository.path} are opened is not configured: name "delivery.remote" and "delivery.forge" of that repository in the configuration, or merge it.`,
    )
  if (settings.token === null) throw new Failure('bad_request', noToken(settings))
  return settings
}
