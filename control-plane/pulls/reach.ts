import type { PullPlace, PullPlaces } from '../../src/domain/delivery/forge.ts'
import { noToken } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'

/**
 * How doctor reaches the forge of each repository that has one, by what names the repository: one call, which opens nothing.
 * It says what there is, or rejects with `Failure`.
 */
export function forgeReach(
  repositories: Readonly<Record<string, unknown>>,
  pulls: PullPlaces,
): Readonly<Record<string, () => Promise<string>>> {
  return Object.fromEntries(
    Object.keys(repositories).flatMap((path) => {
      const place = pulls(path)
      return place === null ? [] : [[path, () => reach(place)]]
    }),
  )
}

async function reach(place: PullPlace): Promise<string> {
  const { project, address, token, tokenFrom } = place.settings
  if (token === null) throw new Failure('repository', noToken(place.settings))
  // Its own limit of time ends it.
  await (await place.forge()).reach(new AbortController().signal)
  return `${new URL(address).host} has ${project}, and takes the token in ${tokenFrom}`
}
