import { once } from 'node:events'
import { chmod, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { Failure } from '../../../domain/failure.ts'
import { command } from './command.ts'
import { tellingTime } from './watcher.ts'
import type { BuildWatcher } from './watcher.ts'

// On disk, not in memory as /tmp may be: a base takes half a gigabyte before it is in the engine.
const uid = process.getuid?.() ?? 0
const place = `/var/tmp/cofferdam-image-${uid}`

/** The right to build, until it is disposed of. */
export interface BuildTurn extends AsyncDisposable {
  /** A folder that is removed with its content when it is disposed of. */
  scratch(): Promise<{ readonly path: string } & AsyncDisposable>
}

/**
 * Lets one build at a time pass, and clears away what killed ones left. The lock is a listening socket, so the kernel gives
 * it up with its process. Should two builds ever slip through, both come out right, only slower.
 */
export async function takeTurn(watcher: BuildWatcher, folder = place): Promise<BuildTurn> {
  const socketPath = join(folder, 'lock')
  await mkdir(folder, { mode: 0o755, recursive: true })
  const seen = await lstat(folder)
  if (!seen.isDirectory() || seen.uid !== uid) {
    throw new Failure('image', `${folder} belongs to someone else: have it removed, then run this again.`)
  }
  for (;;) {
    const lock = await listen(socketPath)
    if (lock !== null) {
      await clearLeftovers(folder)
      return { scratch: () => scratch(folder), [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() }
    }
    await holderToEnd(socketPath, watcher)
  }
}

async function listen(socketPath: string): Promise<AsyncDisposable | null> {
  const waiting = new Set<Socket>()
  const server: Server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => waiting.delete(socket))
  })
  const free = await new Promise<boolean>((resolve, reject) => {
    server.once('listening', () => resolve(true))
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen(socketPath)
  })
  if (!free) return null
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of waiting) socket.destroy()
      await closed
    },
  }
}

/** Waits until the holder lets go; where there is none, the socket's file is a leftover and goes. */
async function holderToEnd(socketPath: string, watcher: BuildWatcher): Promise<void> {
  const socket = connect(socketPath)
  const held = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  if (!held) return await rm(socketPath, { force: true })
  watcher.progress('another build of the sandbox image is going on: waiting for it')
  const part = tellingTime(watcher, 'waiting')
  socket.on('error', () => undefined).resume()
  await once(socket, 'close')
  part.end()
}

async function scratch(folder: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(folder, 'build-'))
  await chmod(path, 0o755) // apt gives up its rights for downloads
  return { path, [Symbol.asyncDispose]: () => remove(path) }
}

async function clearLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith('build-')) await remove(join(folder, name))
}

// A killed bootstrap may have left something mounted below: never go into that.
async function remove(path: string): Promise<void> {
  await command('rm', ['-rf', '--one-file-system', path], {})
}
