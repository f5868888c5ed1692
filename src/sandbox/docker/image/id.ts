import type Docker from 'dockerode'
import { Failure, messageOf } from '../../../domain/failure.ts'

/** The id (`sha256:…`) of an image by its tag; null where there is none. Rejects with `Failure('engine')`. */
export async function idOf(docker: Docker, tag: string): Promise<string | null> {
  try {
    return (await docker.getImage(tag).inspect()).Id
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return null
    throw new Failure(
      'engine',
      `The Docker engine does not answer: ${messageOf(error)}. Start it, then run this again.`,
      { cause: error },
    )
  }
}

/** The id of an image that was just built. */
export async function idOfBuilt(docker: Docker, tag: string): Promise<string> {
  const id = await idOf(docker, tag)
  if (id === null) throw new Failure('image', `The engine built ${tag} and lost it: run this again.`)
  return id
}
