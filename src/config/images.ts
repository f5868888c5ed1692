import { dirname, relative } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { type ImageAgent, isImageAgent } from '../domain/image.ts'
import { isByName } from '../domain/remote.ts'
import type { Environment } from './environment.ts'
import { expand, resolved } from './places.ts'
import { repositoryKey } from './remotes.ts'
import type { ConfigFile } from './schema.ts'

/** What the image of boxes is built of, beside the core. */
export interface ImageSettings {
  readonly agents: readonly ImageAgent[]
  /** What is made of that, for all; null is nothing. */
  readonly dockerfile: HostPath | null
  /** The same for one repository, by what names it in `Config`. */
  readonly repositories: Readonly<Record<string, HostPath>>
}

/** Throws `Failure('bad_config')` for a Dockerfile that an agent's work may change: a build runs with the engine's rights. */
export function imagesOf(file: ConfigFile, path: string, data: HostPath, around: Environment): ImageSettings {
  const place = (given: string): HostPath => resolved(expand(given, dirname(path), around))
  const repositories = Object.entries(file.repositories).map(([key, { image }]) => ({
    repository: repositoryKey(key, file, path, around),
    dockerfile: image === undefined ? null : place(image.dockerfile),
  }))
  const dockerfile = file.image.dockerfile === undefined ? null : place(file.image.dockerfile)
  for (const each of [dockerfile, ...repositories.map((entry) => entry.dockerfile)]) {
    const folders = repositories.flatMap(({ repository }) => (isByName(repository) ? [] : [repository]))
    const within = [data, ...folders].find(
      (folder) => each !== null && (isBelow(folder, each) || isBelow(dirname(each), folder)),
    )
    if (within !== undefined)
      throw new Failure(
        'bad_config',
        `The configuration ${path} cannot be used. The Dockerfile ${String(each)} and ${within} lie in one another, so the work of agents may change what is built: keep it in a folder of its own elsewhere.`,
      )
  }
  return {
    agents: file.image.agents.filter(isImageAgent),
    dockerfile,
    repositories: Object.fromEntries(
      repositories.flatMap((entry) =>
        entry.dockerfile === null ? [] : [[entry.repository, entry.dockerfile]],
      ),
    ),
  }
}

function isBelow(folder: string, path: string): boolean {
  return !/^\.\.(\/|$)/.test(relative(folder, path))
}
