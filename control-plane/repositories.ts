import { isAbsolute } from 'node:path'
import type { HostPath } from '../src/domain/brand.ts'
import type { KnownRepository } from '../src/domain/control-plane.ts'
import type { DiscordSettings } from '../src/domain/discord.ts'
import type { Remotes } from '../src/domain/remote.ts'
import type { RepositoryDefaults } from '../src/domain/repository-defaults.ts'
import type { ConfiguredSchedule } from '../src/domain/schedule/request.ts'
import type { RepositoryTasks } from './store/store.ts'

/** The repositories that are configured and those that tasks were made on, in order of their paths. */
export function knownRepositories(
  configured: Readonly<Record<string, RepositoryDefaults>>,
  used: readonly RepositoryTasks[],
  remotes: Pick<Remotes, 'names' | 'state'>,
): readonly KnownRepository[] {
  const byPath = new Map(used.map((each) => [each.path, each]))
  const paths = new Set([...Object.keys(configured), ...byPath.keys()])
  return [...paths].toSorted().map((path) => {
    const own = configured[path]
    return {
      path,
      configured: own !== undefined,
      agent: own?.agent?.name ?? null,
      setup: own?.setup ?? null,
      test: own?.test ?? null,
      tasks: byPath.get(path)?.tasks ?? 0,
      lastTaskAt: byPath.get(path)?.lastTaskAt ?? null,
      remote: remotes.names.includes(path) ? remotes.state(path) : null,
    }
  })
}

/** The paths of all repositories that the configuration names: on these, operators start tasks unasked. */
export function namedRepositories({
  repositories,
  discord,
  schedules,
}: {
  readonly repositories: Readonly<Record<string, RepositoryDefaults>>
  readonly discord: Pick<DiscordSettings, 'listen'> | null
  readonly schedules: readonly Pick<ConfiguredSchedule, 'task'>[]
}): ReadonlySet<string> {
  const listened = discord?.listen.flatMap(({ repository }) => repository ?? []) ?? []
  const scheduled = schedules.map(({ task }) => task.repository)
  return new Set([...Object.keys(repositories), ...listened, ...scheduled])
}

/** Those of them that are folders of this machine; one by URL has its mirror in the data folder. */
export function namedFolders(config: Parameters<typeof namedRepositories>[0]): readonly HostPath[] {
  return [...namedRepositories(config)].filter((name): name is HostPath => isAbsolute(name))
}
