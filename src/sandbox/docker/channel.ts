import { createHash } from 'node:crypto'
import { chmodSync, chownSync, rmSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { BoxSpec, Materials } from '../../domain/box.ts'
import type { HostPath } from '../../domain/brand.ts'
import { Failure, messageOf } from '../../domain/failure.ts'
import { channelSocket } from '../places.ts'

// Unix sockets have 108 bytes for a path, and Node cuts longer ones without a word: two boxes could share one then.
const longestPath = 90

/** The sockets of an installation's boxes, each alone in a folder that its box sees. */
export interface Channels {
  /** The folder for a box, made; its socket is not there yet. */
  folder(name: string): Promise<HostPath>
  /** Listens for a box: each connection is handed to `accept`. What an earlier process left there is replaced. */
  open(spec: Pick<BoxSpec, 'name' | 'user'>, accept: Materials['accept']): Promise<Channel>
  /** Removes a box's folder and socket; fine when there is none. */
  clear(name: string): Promise<void>
  /** Removes those of all other boxes. */
  sweep(names: Iterable<string>): Promise<void>
}

/** Disposing ends its connections and listens no more; the folder stays until it is cleared. */
export type Channel = AsyncDisposable

/** `runtime`: a folder for sockets that nobody else can enter. */
export function channels(runtime: HostPath, installation: string): Channels {
  const parent = join(runtime, installation)
  const folderOf = (name: string): string => join(parent, shortened(name))

  const folder = async (name: string): Promise<HostPath> => {
    const path = folderOf(name)
    const socket = join(path, channelSocket)
    if (Buffer.byteLength(socket) > longestPath)
      throw new Failure(
        'bad_config',
        `The socket of a box would be at ${socket}, which is longer than ${longestPath} bytes: name a shorter folder as "runtime" in the configuration or in COFFERDAM_RUNTIME.`,
      )
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await mkdir(path, { recursive: true, mode: 0o700 })
    return path as HostPath
  }

  return {
    folder,
    async open(spec, accept) {
      const path = await folder(spec.name)
      const socket = join(path, channelSocket)
      rmSync(socket, { force: true })
      const connections = new Set<Socket>()
      const server = createServer({ allowHalfOpen: true }, (connection) => {
        connections.add(connection)
        connection.on('close', () => connections.delete(connection))
        // Whoever has taken it hears of it too; unheard it would end the process.
        connection.on('error', () => undefined)
        accept(connection)
      })
      await listening(server, socket)
      server.on('error', () => undefined)
      // The folder above is closed to others, so that nobody gets in before this.
      giveTo(spec.user, path, socket)
      return {
        async [Symbol.asyncDispose]() {
          const closed = new Promise((resolve) => server.close(resolve))
          for (const connection of connections) connection.destroy()
          await closed
        },
      }
    },
    async clear(name) {
      await rm(folderOf(name), { recursive: true, force: true })
    },
    async sweep(names) {
      const spared = new Set([...names].map(shortened))
      for (const found of await readdir(parent).catch(() => []))
        if (!spared.has(found)) await rm(join(parent, found), { recursive: true, force: true })
    },
  }
}

function shortened(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}

/** The box's user alone may connect. As that user has no part in the folder, it may pass through it. */
function giveTo({ uid, gid }: BoxSpec['user'], folder: string, socket: string): void {
  if (process.getuid?.() === 0) {
    chownSync(socket, uid, gid)
    chmodSync(folder, 0o711)
  }
  chmodSync(socket, 0o600)
}

async function listening(server: Server, socket: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: socket, backlog: 4096 }, resolve)
    })
  } catch (cause) {
    throw new Failure('engine', `The socket ${socket} of a box cannot be opened: ${messageOf(cause)}`, {
      cause,
    })
  }
}
