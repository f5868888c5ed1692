import { connect, createServer } from 'node:net'
import type { Overseer } from '../../src/domain/gateway.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { dialTcp } from '../../src/gateway/network.ts'

// A process with one socket, and behind it the gateway or a bare pipe: node way-out.js gateway|pipe SOCKET PORT. Whatever is
// asked for is at that port of this machine. Tells how much memory it has when it is asked.

/** The only host that is allowed, and what leads to it. */
export const farHost = 'far.test'

const [mode, socket = '', port = ''] = process.argv.slice(2)

const nobody: Overseer = {
  decided: () => undefined,
  left: () => ({ tokens: null, costUsd: null }),
  spent: () => undefined,
  exhausted: () => undefined,
  unavailable: () => undefined,
  leaked: () => undefined,
}

function toGateway(): (connection: NodeJS.ReadWriteStream) => void {
  const gateway = createGateway({
    upstreams: [],
    secrets: [],
    prices: {},
    clock: Date.now,
    resolve: () => Promise.resolve(['93.184.216.34']),
    dial: (_address, _port, signal) => dialTcp('127.0.0.1', Number(port), signal),
  })
  const limits = { connections: 4096, upMb: 1_000_000, downMb: 1_000_000 }
  const tunnels = [{ host: farHost, ports: [443, 80], inside: false, why: 'bench' }]
  const passage = gateway.open(
    { kind: 'agent', name: 'bench', egress: { tunnels, upstreams: [], limits } },
    nobody,
  )
  return (connection) => passage.accept(connection)
}

function toPipe(connection: NodeJS.ReadWriteStream): void {
  const far = connect({ host: '127.0.0.1', port: Number(port), noDelay: true, allowHalfOpen: true })
  const over = (): void => {
    far.destroy()
  }
  connection.on('error', over).on('close', over)
  far.on('error', over)
  connection.pipe(far).pipe(connection)
}

if (mode === 'gateway' || mode === 'pipe') {
  const accept = mode === 'gateway' ? toGateway() : toPipe
  createServer({ allowHalfOpen: true }, accept).listen({ path: socket, backlog: 4096 }, () =>
    process.send?.('open'),
  )
  process.on('message', () => {
    globalThis.gc?.()
    process.send?.(process.memoryUsage().rss)
  })
  process.on('disconnect', () => process.exit())
}
