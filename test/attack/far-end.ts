import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'

/** A server on every address of this machine that notes whatever reaches it: a correct wall leaves it empty. */
export interface FarEnd extends AsyncDisposable {
  /** The same for TCP and UDP. */
  readonly port: number
  /** Where a box could look for it: every address of this machine. */
  readonly addresses: readonly string[]
  readonly seen: readonly string[]
}

export async function openFarEnd(): Promise<FarEnd> {
  const seen: string[] = []
  const tcp = createServer((socket) => {
    seen.push(`tcp from ${socket.remoteAddress ?? '?'}`)
    socket.on('error', () => undefined).end('SEEN\n')
  })
  await new Promise<void>((resolve) => tcp.listen(0, '::', resolve))
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp6').on('message', (message, from) => {
    seen.push(`udp ${message.length} bytes from ${from.address}`)
  })
  await new Promise<void>((resolve) => {
    udp.bind(port, '::', resolve)
  })
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return {
    port,
    addresses: [...new Set(['127.0.0.1', '::1', ...all.map(({ address }) => address)])],
    seen,
    async [Symbol.asyncDispose]() {
      udp.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}
