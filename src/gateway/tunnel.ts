import type { Duplex } from 'node:stream'
import { admit } from './admit.ts'
import { refuseRaw } from './answer.ts'
import { readHello } from './client-hello.ts'
import { canonicalHost, type Target } from '../domain/host.ts'
import type { Asked } from './ledger.ts'
import { join } from './pipe.ts'
import { denied, isRefusal, type Refusal } from './refusal.ts'
import type { BoxContext } from './box-context.ts'

/** CONNECT: a tunnel to one host, through which TLS for that host goes and nothing else. Its content is not looked at. */
export async function tunnel(
  context: BoxContext,
  box: Duplex,
  head: Buffer,
  target: Target,
  signal: AbortSignal,
): Promise<void> {
  // Nothing is read before the connection outside stands.
  box.pause()
  const asked: Asked = { kind: 'tunnel', host: target.host.host, port: target.port, method: null, path: null }
  const admitted = await admit(context, asked, target, signal)
  if (isRefusal(admitted)) return refuseRaw(box, admitted)
  const { outside, entry } = admitted
  const { helloMs, idleMs } = context.network.limits
  const flow = context.traffic.flow()
  box.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  const hello = await helloOf(box, head, target, helloMs)
  if (isRefusal(hello)) {
    box.destroy()
    outside.destroy()
    return entry.end(flow, hello)
  }
  flow.sends(hello.length)
  outside.write(hello)
  await join(box, outside, flow, idleMs)
  entry.end(flow, context.traffic.over ?? undefined)
}

/** The bytes of the TLS hello, and what came with them, where it names the target. */
function helloOf(box: Duplex, head: Buffer, target: Target, ms: number): Promise<Buffer | Refusal> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const settle = (outcome: Buffer | Refusal): void => {
      clearTimeout(timer)
      box.off('data', more).off('end', gone).off('close', gone).pause()
      resolve(outcome)
    }
    const more = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const hello = readHello(bytes)
      if (hello.kind === 'bad') settle(helloRefusal(target, hello.why))
      if (hello.kind === 'hello') settle(problemOf(hello, target) ?? bytes)
    }
    const gone = (): void => settle(helloRefusal(target, 'it ended before it began'))
    const timer = setTimeout(() => settle(helloRefusal(target, 'it did not begin in time')), ms)
    box.on('data', more).on('end', gone).on('close', gone)
    if (head.length > 0) more(head)
    if (box.destroyed) gone()
    else if (box.listenerCount('data') > 0) box.resume()
  })
}

function problemOf(
  { serverName, encrypted }: { readonly serverName: string | null; readonly encrypted: boolean },
  target: Target,
): Refusal | null {
  if (encrypted) return helloRefusal(target, 'its hello is encrypted (ECH)')
  // A name is asked for by its name; an address has none, and a few programs send it all the same.
  if (serverName === null)
    return target.host.kind === 'address' ? null : helloRefusal(target, 'it names no server (SNI)')
  if (canonicalHost(serverName)?.host === target.host.host) return null
  return helloRefusal(target, `it asks for ${canonicalHost(serverName)?.host ?? 'another server'} (SNI)`)
}

function helloRefusal({ host, port }: Target, why: string): Refusal {
  return denied(
    'sni',
    `A tunnel to ${host.host}:${port} carries TLS for that host alone, and was closed: ${why}.`,
  )
}
