import { connector } from '../../src/sandbox/docker/connect.ts'
import { dockerSocket } from './docker.ts'

// What a test cannot do without. It fails at once and says what is missing, instead of being skipped or waiting for it.

export function needRoot(what: string): void {
  if (process.getuid?.() !== 0)
    throw new Error(`${what} takes root: run the tests as root to have this checked.`)
}

/** Rejects with a sentence where no Docker engine answers, or where it is none of ours to use. */
export async function needEngine(socket: string = dockerSocket): Promise<void> {
  const connect = connectors.get(socket) ?? connector(socket, 5)
  connectors.set(socket, connect)
  await connect()
}

// An engine that answered once in this process is asked no more: it starts four processes to describe itself.
const connectors = new Map<string, ReturnType<typeof connector>>()
