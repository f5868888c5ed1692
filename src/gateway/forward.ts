import { once } from 'node:events'
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as send,
  type ServerResponse,
} from 'node:http'
import type { Hit } from '../domain/leak.ts'
import { admit, leakRefusal } from './admit.ts'
import { refuse } from './answer.ts'
import { Cut, receiveRedacted, sendGuarded } from './body.ts'
import { leakInHead, pairsOf, passedOn, withoutSecrets } from './headers.ts'
import type { Asked } from './ledger.ts'
import { denied, failed, isRefusal, type Refusal } from './refusal.ts'
import type { BoxContext } from './box-context.ts'
import { readAuthority, type Request } from './target.ts'
import { type Flow, whenIdle } from './traffic.ts'

/**
 * Plain HTTP by absolute address, as package managers ask for registries without TLS. A redirect is handed to the box, whose
 * next request is looked at like any other.
 */
export async function forward(
  context: BoxContext,
  { target, path }: Extract<Request, { kind: 'forward' }>,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, known } = context
  const asked: Asked = {
    kind: 'forward',
    host: target.host.host,
    port: target.port,
    method: request.method ?? '',
    path: path.split('?', 1)[0] ?? '',
  }
  const leak = leakInHead(path, request.rawHeaders, known)
  if (leak !== null) ledger.leaked({ ...leak, way: 'up' })
  const wrong =
    leak === null ? headRefusal(request, target.host.host, target.port) : leakRefusal(leak.secret, 'its head')
  if (wrong !== null) {
    ledger.deny(asked, wrong)
    return refuse(request, response, wrong)
  }
  const admitted = await admit(context, asked, target, signal)
  if (isRefusal(admitted)) return refuse(request, response, admitted)
  const { outside, entry } = admitted
  const flow = context.traffic.flow()
  const stopWatch = whenIdle(flow, context.network.limits.idleMs, () => {
    outside.destroy()
    if (response.headersSent) response.destroy()
  })
  let outcome: Refusal | undefined
  try {
    const call = send({
      createConnection: () => outside,
      method: request.method,
      path,
      setHost: false,
      headers: {
        ...passedOn(request.rawHeaders, ['host', 'content-length', 'accept-encoding', 'forwarded', 'via']),
        host: target.port === 80 ? target.host.host : `${target.host.host}:${target.port}`,
        'accept-encoding': 'identity',
        ...framing(request),
      },
    })
    const answered = once(call, 'response') as Promise<[IncomingMessage]>
    const stopped = stoppedBy(sendGuarded(request, call, known, flow, context.network.limits.bodyIdleMs))
    const [answer] = await Promise.race([answered, stopped])
    await Promise.race([relay(context, answer, response, flow), stopped])
  } catch (error) {
    outcome = refusalOf(error, context)
    if (error instanceof Cut && error.hit !== null) ledger.leaked({ ...error.hit, way: 'up' })
    outside.destroy()
    await refuse(request, response, outcome)
  } finally {
    stopWatch()
    outside.destroy()
    entry.end(flow, outcome)
  }
}

/**
 * How the other end knows where the body ends, whatever `Connection` names: Node would send that of a GET without an end
 * of its own, and what a box writes into it would be read as another request.
 */
function framing({ headers }: IncomingMessage): OutgoingHttpHeaders {
  if (headers['transfer-encoding'] !== undefined) return { 'transfer-encoding': 'chunked' }
  const length = headers['content-length']
  return length === undefined ? {} : { 'content-length': length }
}

/** Rejects where the body must not go on. Where the other end reads no more of it, its answer is what counts. */
function stoppedBy(sending: Promise<void>): Promise<never> {
  const stopped = new Promise<never>((_resolve, reject) => {
    sending.catch((error: unknown) => {
      if (error instanceof Cut && error.why !== 'gone') reject(error)
    })
  })
  stopped.catch(() => undefined)
  return stopped
}

async function relay(
  { ledger, known }: BoxContext,
  answer: IncomingMessage,
  response: ServerResponse,
  flow: Flow,
): Promise<void> {
  const onHit = (hit: Hit): void => ledger.leaked({ ...hit, way: 'down' })
  // A mark has another length than what it stands for.
  const dropped = known.isEmpty || response.req.method === 'HEAD' ? [] : ['content-length']
  const headers = passedOn(answer.rawHeaders, dropped, (value) => withoutSecrets(value, known, onHit))
  response.writeHead(answer.statusCode ?? 502, headers)
  await receiveRedacted(answer, response, known, flow, onHit)
}

function headRefusal(request: IncomingMessage, host: string, port: number): Refusal | null {
  if (request.method === 'TRACE') return denied('method', 'TRACE does not pass.', 405)
  const hosts = pairsOf(request.rawHeaders).filter(([name]) => name === 'host')
  const named = hosts.length === 1 ? readAuthority(hosts[0]?.[1] ?? '', 80) : null
  if (named?.host.host === host && named.port === port) return null
  return denied(
    'host header',
    `The Host header has to name ${host}:${port} too, which the request is for.`,
    421,
  )
}

function refusalOf(error: unknown, { traffic }: BoxContext): Refusal {
  if (error instanceof Cut && error.hit !== null) return leakRefusal(error.hit.secret, 'its body')
  return traffic.over ?? failed('broken', 'The connection broke before the answer was complete.')
}
