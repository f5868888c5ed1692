import { lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import { unreadable } from './problem.ts'

/** A search is in the address, and a long one of Chinese letters has nine bytes for each. */
export const headerBytes = 128 * 1024

/**
 * Serves `app` on a unix socket that only its owner can open. The caller holds the lock of the data folder, so a socket
 * that is already there is left over from a process that is gone. Disposing ends open streams and removes the socket.
 */
export async function serveSocket(app: Hono, path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await removeStale(path)
  const answer = getRequestListener(app.fetch, { errorHandler: unreadable })
  const server = createServer(
    { maxHeaderSize: headerBytes },
    (request, response) => void answer(request, response),
  )
  await listen(server, path)
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null)
  if (found === null) return
  if (!found.isSocket()) {
    throw new Failure(
      'data_folder',
      `${path} is in the way of the control socket and is no socket; remove it.`,
    )
  }
  await rm(path, { force: true })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Failure('data_folder', `The control socket ${path} cannot be opened: ${messageOf(error)}`))
    })
    // The socket is made inside listen(), before anything else can run: nobody else ever sees it with another mode.
    const umask = process.umask(0o177)
    try {
      server.listen(path, resolve)
    } finally {
      process.umask(umask)
    }
  })
}
