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
import { denied, failed, isRefusal, passing, type Refusal } from './refusal.ts'
import type { Route } from './route.ts'
import type { BoxContext } from './box-context.ts'
import type { Request } from './target.ts'
import { type Flow, whenIdle } from './traffic.ts'
import { readBody, type WholeBody } from './whole-body.ts'
import type { Counter, Inspected, UpstreamRoute } from './upstreams/upstream.ts'

/** A named route: looked at as a whole, then sent with the credential, and its answer counted on its way to the box. */
export async function upstreamCall(
  context: BoxContext,
  { name, path, query }: Extract<Request, { kind: 'upstream' }>,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { ledger } = context
  const method = request.method ?? ''
  const route = context.routes.get(name)
  const asked: Asked = {
    kind: 'upstream',
    host: route?.host ?? name,
    port: route?.port ?? null,
    method,
    path,
  }
  if (route === undefined) {
    const refusal = denied('no rule', noUpstream(name, context))
    ledger.deny(asked, refusal)
    return refuse(request, response, refusal)
  }
  const flow = context.traffic.flow()
  const call = { context, route, asked, flow, path, query, request, response, signal }
  const refuseHere = (refusal: Refusal): Promise<void> => {
    const isPassing = refusal.again === true
    const text = route.upstream.error(refusal.status, refusal.text, isPassing)
    const answer = { type: 'application/json', text }
    const retry = isPassing ? 'true' : 'false'
    return refuse(request, response, refusal, answer, { 'x-should-retry': retry })
  }
  const deny = (refusal: Refusal): Promise<void> => {
    ledger.deny(asked, refusal)
    return refuseHere(refusal)
  }
  const rule = ruleOf(call)
  if (isRefusal(rule)) return deny(rule)
  const body = await readBody(context, request, rule.inspect?.(path) ?? null, flow)
  if (isRefusal(body)) return deny(body)
  try {
    if (rule.kind === 'local') return answerHere(call)
    const bill = rule.kind === 'paid' ? openBill(call, body) : null
    if (bill !== null && isRefusal(bill)) return await deny(bill)
    try {
      const entry = ledger.allow(asked, name, `The upstream "${name}".`, null)
      if (entry === null) return await refuseHere(notRecorded)
      await passOn(call, rule, body, bill, entry, refuseHere)
    } finally {
      bill?.settle()
    }
  } finally {
    body.release()
  }
}

function noUpstream(name: string, { kind, routes }: BoxContext): string {
  const has = routes.size === 0 ? 'none' : [...routes.keys()].join(', ')
  const why = `This box has no upstream "${name}" (it has ${has}).`
  if (kind === 'setup') return `${why} A setup box reaches package registries and no model.`
  return `${why} To allow it, name it in policy.upstreams of cofferdam.yaml and start a new task.`
}

interface Call {
  readonly context: BoxContext
  readonly route: Route
  readonly asked: Asked
  readonly flow: Flow
  readonly path: string
  readonly query: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
}

/** The rule for it, or what can be said against it before its body is read. */
function ruleOf({ context, route: { upstream }, request, path, query }: Call): UpstreamRoute | Refusal {
  const leak = leakInHead(`${path}${query}`, request.rawHeaders, context.known)
  if (leak !== null) {
    context.ledger.leaked({ ...leak, way: 'up' })
    return leakRefusal(leak.secret, 'its head')
  }
  if (request.headers.upgrade !== undefined)
    return denied(
      'route',
      'Connections are not upgraded here, for what goes through one cannot be counted: no WebSocket. Send it as a POST.',
      426,
    )
  const rule = upstream.routes.find((each) => each.method === request.method && each.path.test(path))
  if (rule !== undefined) return context.traffic.over ?? rule
  const all = upstream.routes.map((each) => `${each.method} ${each.path.source.replaceAll(/[\\^$]/g, '')}`)
  return denied(
    'route',
    `${request.method} ${path} is not among what the upstream "${upstream.name}" is for: ${all.join(', ')}.`,
  )
}

/** Tokens of output that are set aside for a call that names no limit, of a model whose limit nobody said. */
const usualMaxOutput = 32_000

function openBill({ context }: Call, { inspected }: WholeBody): Bill | Refusal {
  if (inspected === null) return denied('route', 'A call without a body cannot be counted.', 400)
  const { model, estimate, choices = 1 } = inspected
  const price = priceOf(model, context.prices)
  const output = (estimate.output ?? price?.maxOutput ?? usualMaxOutput) * choices
  return context.purse.open({ input: estimate.input, output }, price, model)
}

function answerHere({ context, route, asked, flow, response }: Call): void {
  context.ledger.allow(asked, route.upstream.name, 'Answered by the gateway itself.', null)?.end(flow)
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
  const { route, flow, request, response, context } = call
  const idle = new AbortController()
  const signal = AbortSignal.any([call.signal, idle.signal])
  const stopWatch = whenIdle(flow, context.network.limits.idleMs, () => {
    idle.abort()
    if (response.headersSent) response.destroy()
  })
  let outcome: Refusal | undefined
  const ended = bill === null ? null : context.patience.begin(route.upstream.name)
  try {
    const sent = {
      method: request.method ?? '',
      path: `${call.path}${route.upstream.query?.(call.query) ?? call.query}`,
      headers: headersOf(call, body),
      body: body.chunks,
      isPaid: bill !== null,
    }
    const answer = await route.call(sent, signal)
    const counter = answer.statusCode === 200 ? (rule.counter?.() ?? null) : null
    await answered(call, answer, counter, bill, body.inspected)
    ended?.(answer.statusCode ?? null)
  } catch (error) {
    // Of a provider that was not waited for nothing is known.
    if (!call.signal.aborted && !(error instanceof Cut) && !(error instanceof Unrecorded)) ended?.(null)
    // The box went, or nobody waits any more, while the model was at work: what that costs nobody says.
    if (signal.aborted && !response.headersSent) bill?.chargeEstimate()
    outcome = context.traffic.over ?? failureOf(error, route, signal.aborted)
    await refuseHere(outcome)
  } finally {
    stopWatch()
    entry.end(flow, outcome)
  }
}

function failureOf(error: unknown, { upstream: { name } }: Route, isLate: boolean): Refusal {
  if (error instanceof Unrecorded) return notRecorded
  if (error instanceof Cut)
    return failed('broken', `The box left before the answer of "${name}" was complete.`)
  const text = `The upstream "${name}" gave no whole answer: ${messageOf(error)}.`
  // A provider that took minutes was at work, and another call would be charged as well.
  return isLate ? failed('broken', text) : passing('broken', text)
}

/** What was spent could not be written down: the answer stops here. */
class Unrecorded extends Error {}

async function answered(
  { context, flow, response, request }: Call,
  answer: IncomingMessage,
  counter: Counter | null,
  bill: Bill | null,
  inspected: Inspected | null,
): Promise<void> {
  const onHit = (hit: Hit): void => context.ledger.leaked({ ...hit, way: 'down' })
  const type = answer.headers['content-type'] ?? ''
  const filter = /^text\/event-stream\b/i.test(type) ? inspected?.filter?.() : undefined
  const dropped = [
    'set-cookie',
    ...((context.known.isEmpty && filter === undefined) || request.method === 'HEAD'
      ? []
      : ['content-length']),
  ]
  const headers = passedOn(answer.rawHeaders, dropped, (value) => withoutSecrets(value, context.known, onHit))
  try {
    if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw new Error('it is compressed, so it cannot be read')
    response.writeHead(answer.statusCode ?? 502, headers)
    response.flushHeaders()
    const see = (chunk: Buffer): void => {
      counter?.see(chunk, type)
      const tokens = counter?.tokens ?? null
      if (tokens !== null && bill?.charge(tokens) === false) throw new Unrecorded()
    }
    await receiveRedacted(answer, response, context.known, flow, onHit, see, filter)
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
