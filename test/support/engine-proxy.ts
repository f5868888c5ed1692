import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { dockerSocket } from './docker.ts'

/** A socket in front of the engine's own, to make the engine go away without doing so to anybody else. */
export interface EngineProxy extends AsyncDisposable {
  readonly path: string
  /** Breaks every connection and takes no new one. */
  cut(): Promise<void>
  /** Takes connections and answers none. */
  hang(): void
  restore(): Promise<void>
}

export async function engineProxy(path: string): Promise<EngineProxy> {
  const sockets = new Set<Socket>()
  let hanging = false
  const track = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    track(client)
    if (hanging) return
    const engine = track(connect(dockerSocket))
    client.pipe(engine).pipe(client)
    client.on('close', () => engine.destroy())
    engine.on('close', () => client.destroy())
  })
  const listen = (): Promise<void> => new Promise((resolve) => server.listen(path, resolve))
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    breakAll()
    await closed
    await rm(path, { force: true })
  }
  await listen()
  return {
    path,
    cut: close,
    hang() {
      hanging = true
      breakAll()
    },
    async restore() {
      hanging = false
      await listen()
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await close()
    },
  }
}
