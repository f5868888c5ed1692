import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { median } from '../statistics.ts'
import { farHost } from '../way-out.ts'

const mib = 1024 * 1024
/** What goes through a tunnel in one round. */
const bulkBytes = 512 * mib
const tunnels = 1000
const program = join(import.meta.dirname, '../way-out.js')

/** The gateway against a bare pipe between the same sockets, each in a process of its own. */
export const gateway: Measurement = {
  names: ['gateway_first_byte', 'gateway_throughput', 'gateway_memory'],
  rounds: 9,
  async run(lab, rounds) {
    const hello = await clientHello()
    await using far = await openFar(hello.length)
    await using walled = await openWay(lab, 'gateway', far.port)
    await using piped = await openWay(lab, 'pipe', far.port)
    const first = { walled: [] as number[], direct: [] as number[] }
    const rate = { walled: [] as number[], piped: [] as number[] }
    for (let round = 0; round <= rounds; round += 1) {
      const added = await firstByte(() => connect(walled.socket), `http://${farHost}/`)
      const direct = await firstByte(() => connect(far.port, '127.0.0.1'), '/')
      const through = await bulk(await tunnelOf(walled.socket, hello))
      const bare = connect(piped.socket)
      bare.write(hello)
      const past = await bulk(bare)
      // The first round warms everything up.
      if (round === 0) continue
      first.walled.push(added)
      first.direct.push(direct)
      rate.walled.push(through)
      rate.piped.push(past)
    }
    const pipeRate = median(rate.piped)
    const held = await grownBy(walled, () => tunnelOf(walled.socket, hello))
    const heldBare = await grownBy(piped, async () => {
      const bare = connect(piped.socket)
      await once(bare, 'connect')
      return bare
    })
    return {
      measured: [
        {
          name: 'gateway_first_byte',
          value: median(first.walled) - median(first.direct),
          unit: 'ms',
          floor: median(first.direct),
          reach: { of: 'value', limit: 'most', than: 2 },
        },
        {
          name: 'gateway_throughput',
          value: median(rate.walled),
          unit: 'MB/s',
          floor: pipeRate,
          reach: { of: 'value', limit: 'least', than: Math.min(200, Math.floor(0.7 * pipeRate)) },
        },
        {
          name: 'gateway_memory',
          value: held,
          unit: 'MB',
          floor: heldBare,
          reach: { of: 'value', limit: 'most', than: 100 },
        },
      ],
      notes: [
        `first byte: what the gateway adds to a request of ${median(first.direct).toFixed(2)} ms; throughput: ${bulkBytes / mib} MiB down one tunnel; ` +
          `memory: what ${tunnels} open tunnels add`,
      ],
    }
  },
}

interface Far extends AsyncDisposable {
  readonly port: number
}

/** Answers a request with a byte, and a hello of this length with bulk. */
async function openFar(helloBytes: number): Promise<Far> {
  const sockets = new Set<Socket>()
  const chunk = Buffer.alloc(mib)
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)))
    let got = 0
    socket.on('data', (data) => {
      if (got === 0 && data.toString('latin1', 0, 4) === 'GET ') {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx')
        return
      }
      const before = got
      got += data.length
      // One byte more than the hello asks for the bulk.
      if (before <= helloBytes && got > helloBytes) void pour(socket, chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pour(socket: Socket, chunk: Buffer): Promise<void> {
  for (let sent = 0; sent < bulkBytes && !socket.destroyed; sent += chunk.length)
    if (!socket.write(chunk)) await once(socket, 'drain').catch(() => undefined)
  socket.end()
}

interface Way extends AsyncDisposable {
  readonly socket: string
  residentMb(): Promise<number>
}

async function openWay(lab: Lab, mode: 'gateway' | 'pipe', port: number): Promise<Way> {
  const socket = join(lab.fresh(mode), 's')
  const child: ChildProcess = fork(program, [mode, socket, String(port)], { execArgv: ['--expose-gc'] })
  lab.atEnd(() => void child.kill())
  await once(child, 'message')
  return {
    socket,
    async residentMb() {
      const told = once(child, 'message')
      child.send('memory')
      return Number((await told)[0]) / 1e6
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

/** ms from before the connection until the first byte of the answer. */
async function firstByte(open: () => Socket, target: string): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 50; count += 1) {
    const began = performance.now()
    const socket = open()
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${farHost}\r\nConnection: close\r\n\r\n`)
    await once(socket, 'data')
    times.push(performance.now() - began)
    socket.destroy()
  }
  return median(times)
}

/** An open tunnel, past its hello. */
async function tunnelOf(path: string, hello: Buffer): Promise<Socket> {
  const socket = connect(path)
  socket.write(`CONNECT ${farHost}:443 HTTP/1.1\r\nHost: ${farHost}:443\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(answer.toString('latin1'))
  socket.write(hello)
  return socket
}

/** MB per second that come down a connection whose hello is sent. */
async function bulk(socket: Socket): Promise<number> {
  const began = performance.now()
  let bytes = 0
  socket.on('data', (chunk) => (bytes += chunk.length))
  socket.write('x')
  await once(socket, 'end')
  const seconds = (performance.now() - began) / 1000
  socket.destroy()
  if (bytes < bulkBytes) throw new Error(`only ${bytes} bytes came through`)
  return bytes / 1e6 / seconds
}

/** MB that a process grows by while so many connections are open. */
async function grownBy(way: Way, open: () => Promise<Socket>): Promise<number> {
  const before = await way.residentMb()
  const sockets: Socket[] = []
  for (let count = 0; count < tunnels; count += 1) sockets.push(await open())
  await sleep(500)
  const after = await way.residentMb()
  for (const socket of sockets) socket.destroy()
  return after - before
}

/** The first bytes of TLS for the host, as Node says them. */
async function clientHello(): Promise<Buffer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const arrived = once(server, 'connection') as Promise<[Socket]>
  const client = connectTls({ port, host: '127.0.0.1', servername: farHost }).on('error', () => undefined)
  const [socket] = await arrived
  const [bytes] = (await once(
    socket.on('error', () => undefined),
    'data',
  )) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}
