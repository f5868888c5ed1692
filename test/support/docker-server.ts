import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A server that answers on an engine's socket, for what a real engine cannot be made to say. */
export async function answering(listener: RequestListener): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cofferdam-engine-'))
  const path = join(folder, 'docker.sock')
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  return path
}

/** An engine of this version that says no more than that. */
export function engine(version: object): RequestListener {
  const info = { NCPU: 4, SwapLimit: true, SecurityOptions: null }
  return (request, response) => {
    const answer = request.url?.includes('version') === true ? version : info
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer))
  }
}
