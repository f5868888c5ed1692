import type { KnownRepository } from '../src/domain/control-plane.ts'
import type { RepositoryDefaults } from '../src/domain/repository-defaults.ts'
import type { RepositoryTasks } from './store/store.ts'

/** The repositories that are configured and those that tasks were made on, in order of their paths. */
export function knownRepositories(
  configured: Readonly<Record<string, RepositoryDefaults>>,
  used: readonly RepositoryTasks[],
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
    }
  })
}
