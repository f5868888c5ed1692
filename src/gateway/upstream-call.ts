import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf } from '../domain/failure.ts'
import type { Hit } from '../domain/leak.ts'
import { leakRefusal } from './admit.ts'
import { refuse } from './answer.ts'
import { Cut, receiveRedacted } from './body.ts'
import { leakInHead, passedOn, withoutSecrets } from './headers.ts'
import type { Asked, Entry } from './ledger.ts'
import { priceOf } from './prices.ts'
import type { Bill } from './purse.ts'
import { notRecorded } from './reach.ts'
import { denied, failed, isRefusal, type Refusal } from './refusal.ts'
import type { Route } from './route.ts'
import type { Side } from './side.ts'
import type { Request } from './target.ts'
import { type Flow, whenIdle } from './traffic.ts'
import { readBody, type WholeBody } from './whole-body.ts'
import type { Counter, UpstreamRoute } from './upstreams/upstream.ts'

/** A named route: looked at as a whole, then sent with the credential, and its answer counted on its way to the box. */
export async function upstreamCall(
  side: Side,
  { name, path, query }: Extract<Request, { kind: 'upstream' }>,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { ledger } = side
  const method = request.method ?? ''
  const route = side.routes.get(name)
  const asked: Asked = {
    kind: 'upstream',
    host: route?.host ?? name,
    port: route?.port ?? null,
    method,
    path,
  }
  if (route === undefined) {
    const refusal = denied(
      'no rule',
      `This box has no upstream "${name}". Which it has, its agent's configuration says.`,
    )
    ledger.deny(asked, refusal)
    return refuse(request, response, refusal)
  }
  const flow = side.traffic.flow()
  const call = { side, route, asked, flow, path, query, request, response, signal }
  const refuseHere = (refusal: Refusal): Promise<void> => {
    const body = { type: 'application/json', text: route.upstream.error(refusal.status, refusal.text) }
    const retry = refusal.again === true ? 'true' : 'false'
    return refuse(request, response, refusal, body, { 'x-should-retry': retry })
  }
  const found = headRefusal(call) ?? (await inspected(call))
  if (isRefusal(found)) {
    ledger.deny(asked, found)
    return refuseHere(found)
  }
  try {
    if (found.rule.kind === 'local') return answerHere(call)
    const bill = found.rule.kind === 'paid' ? openBill(call, found.body) : null
    if (bill !== null && isRefusal(bill)) {
      ledger.deny(asked, bill)
      return await refuseHere(bill)
    }
    try {
      const entry = ledger.allow(asked, name, `The upstream "${name}".`, null)
      if (entry === null) return await refuseHere(notRecorded)
      await passOn(call, found.rule, found.body, bill, entry, refuseHere)
    } finally {
      bill?.settle()
    }
  } finally {
    found.body.release()
  }
}

interface Call {
  readonly side: Side
  readonly route: Route
  readonly asked: Asked
  readonly flow: Flow
  readonly path: string
  readonly query: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
}

function ruleOf({ route, request, path }: Call): UpstreamRoute | undefined {
  return route.upstream.routes.find((each) => each.method === request.method && each.path.test(path))
}

/** What can be said before the body is read. */
function headRefusal(call: Call): Refusal | null {
  const { side, route, request, path, query } = call
  const leak = leakInHead(`${path}${query}`, request.rawHeaders, side.known)
  if (leak !== null) {
    side.ledger.leaked({ ...leak, way: 'up' })
    return leakRefusal(leak.secret, 'its head')
  }
  if (ruleOf(call) === undefined)
    return denied(
      'route',
      `${request.method} ${path} is not among what the upstream "${route.upstream.name}" is for: ${route.upstream.routes.map(({ method, path }) => `${method} ${path.source.replaceAll(/[\\^$]/g, '')}`).join(', ')}.`,
    )
  return side.traffic.over
}

async function inspected(
  call: Call,
): Promise<{ readonly rule: UpstreamRoute; readonly body: WholeBody } | Refusal> {
  const rule = ruleOf(call)
  if (rule === undefined) return denied('route', 'Nothing else passes.')
  const body = await readBody(call.side, call.request, rule.inspect?.() ?? null, call.flow)
  return isRefusal(body) ? body : { rule, body }
}

function openBill({ side }: Call, { inspected }: WholeBody): Bill | Refusal {
  if (inspected === null) return denied('route', 'A call without a body cannot be counted.', 400)
  return side.purse.open(inspected.estimate, priceOf(inspected.model, side.prices), inspected.model)
}

function answerHere({ side, route, asked, flow, response }: Call): void {
  side.ledger.allow(asked, route.upstream.name, 'Answered by the gateway itself.', null)?.end(flow)
  response.writeHead(200).end()
}

/** Sends it and hands the answer on; what it came to is recorded, however it ends. */
async function passOn(
  call: Call,
  rule: UpstreamRoute,
  body: WholeBody,
  bill: Bill | null,
  entry: Entry,
  refuseHere: (refusal: Refusal) => Promise<void>,
): Promise<void> {
  const { route, flow, request, response, side } = call
  const idle = new AbortController()
  const signal = AbortSignal.any([call.signal, idle.signal])
  const stopWatch = whenIdle(flow, side.network.limits.idleMs, () => {
    idle.abort()
    if (response.headersSent) response.destroy()
  })
  let outcome: Refusal | undefined
  try {
    const path = `${call.path}${call.query}`
    const answer = await route.call(request.method ?? '', path, headersOf(call, body), body.chunks, signal)
    const counter = answer.statusCode === 200 ? (rule.counter?.() ?? null) : null
    await answered(call, answer, counter, bill)
  } catch (error) {
    // The box went, or nobody waits any more, while the model was at work: what that costs nobody says.
    if (signal.aborted && !response.headersSent) bill?.chargeEstimate()
    outcome = side.traffic.over ?? failureOf(error, route)
    await refuseHere(outcome)
  } finally {
    stopWatch()
    entry.end(flow, outcome)
  }
}

function failureOf(error: unknown, { upstream: { name } }: Route): Refusal {
  if (error instanceof Unrecorded) return notRecorded
  if (error instanceof Cut)
    return failed('broken', `The box left before the answer of "${name}" was complete.`)
  return failed('broken', `The upstream "${name}" gave no whole answer: ${messageOf(error)}.`)
}

/** What was spent could not be written down: the answer stops here. */
class Unrecorded extends Error {}

async function answered(
  { side, flow, response, request }: Call,
  answer: IncomingMessage,
  counter: Counter | null,
  bill: Bill | null,
): Promise<void> {
  const onHit = (hit: Hit): void => side.ledger.leaked({ ...hit, way: 'down' })
  const dropped = [
    'set-cookie',
    ...(side.known.isEmpty || request.method === 'HEAD' ? [] : ['content-length']),
  ]
  const headers = passedOn(answer.rawHeaders, dropped, (value) => withoutSecrets(value, side.known, onHit))
  const type = answer.headers['content-type'] ?? ''
  try {
    if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw new Error('it is compressed, so it cannot be read')
    response.writeHead(answer.statusCode ?? 502, headers)
    response.flushHeaders()
    await receiveRedacted(answer, response, side.known, flow, onHit, (chunk) => {
      counter?.see(chunk, type)
      const tokens = counter?.tokens ?? null
      if (tokens !== null && bill?.charge(tokens) === false) throw new Unrecorded()
    })
  } finally {
    answer.destroy()
    if (counter !== null && bill !== null) chargeRest(counter, bill)
  }
}

/**
 * A complete answer costs what it reported. One that was cut costs what it had reported, and at least what was seen of the
 * model's output, for the count comes last; where nothing was reported, all that was set aside.
 */
function chargeRest(counter: Counter, bill: Bill): void {
  const { tokens } = counter
  if (tokens === null) bill.chargeEstimate()
  else if (!counter.complete) bill.charge({ ...tokens, output: Math.max(tokens.output, counter.seenOutput) })
}

/** The box's headers with the upstream's credential in the place of its own. */
function headersOf({ route, request }: Call, { length, chunks }: WholeBody): ReturnType<typeof passedOn> {
  const { credential, drops } = route.upstream
  const dropped = [
    'host',
    'content-length',
    'accept-encoding',
    'cookie',
    'forwarded',
    'via',
    'x-forwarded-for',
  ]
  return {
    ...passedOn(request.rawHeaders, [...dropped, ...drops]),
    ...(chunks.length === 0 && request.method === 'GET' ? {} : { 'content-length': length }),
    ...(credential === null ? {} : { [credential.header]: credential.value }),
    'accept-encoding': 'identity',
  }
}
