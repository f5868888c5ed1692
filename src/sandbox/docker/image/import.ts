import type Docker from 'dockerode'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { follow } from './follow.ts'

/**
 * Imports a tar as an image and tells its id. The engine is asked when the first bytes are there: Node sends no head of a
 * request before its body begins, and an engine hangs up on a connection without one after five minutes.
 */
export async function importTar(docker: Docker, tar: Readable, made: (id: string) => void): Promise<void> {
  await once(tar, 'readable')
  const answer = await docker.importImage(tar, { message: 'Bootstrapped from apt by Cofferdam' })
  await follow(answer, 'import the bootstrapped base', ({ status }) => {
    if (status?.startsWith('sha256:') === true) made(status)
  })
}
