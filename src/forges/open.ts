import type { Forge } from '../domain/delivery/forge.ts'
import type { PullSettings } from '../domain/delivery/pull.ts'
import { type FetchDeps, forgeFetch } from './fetch.ts'

/** The forge of a repository. Each library is loaded where it is used: most installations have one forge, or none. */
export async function openForge(settings: PullSettings, deps: FetchDeps = {}): Promise<Forge> {
  const fetch = forgeFetch(settings, deps)
  switch (settings.forge) {
    case 'github':
      return (await import('./github.ts')).github(settings, fetch)
    case 'gitlab':
      return (await import('./gitlab.ts')).gitlab(settings, fetch)
    case 'forgejo':
      return (await import('./forgejo.ts')).forgejo(settings, fetch)
  }
}
