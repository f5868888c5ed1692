import type { AgentChoice } from '../../src/domain/agent.ts'
import { isByName } from '../../src/domain/remote.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import type { ConfiguredSchedule } from '../../src/domain/schedule/request.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { agentOf, type SubmitDeps } from '../submit.ts'

interface Scheduled {
  readonly scheduled: readonly Pick<ConfiguredSchedule, 'name' | 'task'>[]
  readonly agents: SubmitDeps['agents']
  /** Who works where neither the schedule nor its repository names another. */
  readonly usual: AgentChoice | null
  readonly repositories: Readonly<Record<string, RepositoryDefaults>>
  /** Called by each look, and not before. */
  readonly git: () => { readonly worktrees: Pick<Worktrees, 'inspect'> }
}

/**
 * How doctor looks, by the name of each schedule of the configuration, for who works on its tasks: found as for a task, but
 * that a repository by URL is not asked for. It says who does, or rejects with `Failure`.
 */
export function scheduledAgents({
  scheduled,
  agents,
  usual,
  repositories,
  git,
}: Scheduled): Readonly<Record<string, () => Promise<string>>> {
  const look = async ({ repository, ref, agent }: ConfiguredSchedule['task']): Promise<string> => {
    // As git names it, which is how the configuration has it.
    const path = isByName(repository) ? repository : (await git().worktrees.inspect(repository, ref)).path
    const works = agentOf({ agents }, agent ?? repositories[path]?.agent ?? usual, noAgent)
    return `${works.name} works on ${path}`
  }
  return Object.fromEntries(scheduled.map(({ name, task }) => [name, () => look(task)]))
}

const noAgent = (names: string): string =>
  `No agent is named or configured for it, so that each of its runs fails: name one of ${names} in cofferdam.yaml, such as ` +
  'agent: { name: claude } under its task, under its repository, or under task for all.'
